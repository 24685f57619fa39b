"""What the adaptor asks of the API server: one request per changed split, none otherwise."""

from __future__ import annotations

from collections import Counter

import pytest

from reactor.events import Synced
from tests.cluster.api import TRAFFICSPLITS
from tests.contract.adaptor import Adaptor, Requests
from tests.contract.cluster import Cluster
from tests.contract.waiting import until


def about_events(asked: Requests) -> int:
    return sum(count for (_, resource, _), count in asked.items() if resource == "events")


async def quiet(adaptor: Adaptor, *, events: int) -> Requests:
    """All requests so far, once so many of them were about Events."""
    await adaptor.idle()
    await until(lambda: about_events(adaptor.requests()) >= events)
    return adaptor.requests()


def since(before: Requests, after: Requests) -> dict[tuple[str, str], int]:
    """Requests between the two by verb and resource, watches that end aside."""
    asked: dict[tuple[str, str], int] = {}
    for (verb, resource, _), count in (after - before).items():
        if verb != "watch":
            asked[verb, resource] = asked.get((verb, resource), 0) + count
    return asked


async def standing(cluster: Cluster, count: int = 1) -> tuple[Adaptor, Requests]:
    """An adaptor with so many splits translated and told of, and what it asked for that."""
    adaptor = await cluster.adaptor().start()
    await cluster.create_services("a", *(f"web-{n}" for n in range(count)))
    # Each Service has to be known before its split, or its lack is told too.
    services = adaptor.daemon.parts.services
    last = f"web-{count - 1}" if count else "a"
    await until(lambda: services.get(cluster.namespace, last))
    for n in range(count):
        await cluster.create_split(f"s-{n}", f"web-{n}", [("a", 1)])
    for n in range(count):
        await cluster.wait_overrides(f"web-{n}", [("a", "1")])
    return adaptor, await quiet(adaptor, events=count)


async def test_a_new_split_costs_one_request_and_one_event(cluster: Cluster) -> None:
    adaptor, before = await standing(cluster, 0)

    await cluster.create_split("s", "a", [("a", 1)])
    await cluster.wait_event("Created", "s")

    assert since(before, await quiet(adaptor, events=1)) == {
        ("create", "serviceprofiles"): 1,
        ("create", "events"): 1,
    }


async def test_a_changed_split_costs_one_request_and_one_event(cluster: Cluster) -> None:
    adaptor, before = await standing(cluster)

    await cluster.set_weights("s-0", [("a", 2)])
    await cluster.wait_event("Updated", "s-0")
    once = await quiet(adaptor, events=2)
    await cluster.set_weights("s-0", [("a", 3)])
    await cluster.wait_event("Updated", "s-0", lambda event: event["count"] == 2)

    assert since(before, once) == {("patch", "serviceprofiles"): 1, ("create", "events"): 1}
    assert since(once, await quiet(adaptor, events=3)) == {
        ("patch", "serviceprofiles"): 1,
        ("patch", "events"): 1,
    }


async def test_many_changed_splits_cost_as_many_requests(cluster: Cluster) -> None:
    adaptor, before = await standing(cluster, 20)

    for n in range(20):
        await cluster.set_weights(f"s-{n}", [("a", 2)])
    for n in range(20):
        await cluster.wait_overrides(f"web-{n}", [("a", "2")])

    assert since(before, await quiet(adaptor, events=40)) == {
        ("patch", "serviceprofiles"): 20,
        ("create", "events"): 20,
    }


async def test_a_deleted_split_costs_one_request(cluster: Cluster) -> None:
    adaptor, before = await standing(cluster)

    await cluster.delete_split("s-0")
    await cluster.wait_no_profile("web-0")
    await adaptor.event(Synced, lambda event: event.outcome == "deleted")

    assert since(before, await quiet(adaptor, events=1)) == {("delete", "serviceprofiles"): 1}


@pytest.mark.parametrize("change", ["label", "spelling", "full name"])
async def test_a_split_that_asks_for_the_same_costs_no_request(
    cluster: Cluster, change: str
) -> None:
    adaptor, before = await standing(cluster)
    patch = {
        "label": {"metadata": {"labels": {"team": "shop"}}},
        "spelling": {"spec": {"backends": [{"service": "a", "weight": "1000m"}]}},
        "full name": {"spec": {"service": f"web-0.{cluster.namespace}.svc"}},
    }[change]

    await cluster.api.patch(TRAFFICSPLITS, "s-0", patch, cluster.namespace)
    await adaptor.event(Synced, lambda event: event.outcome == "unchanged")

    assert since(before, await quiet(adaptor, events=1)) == {}


async def test_services_and_other_peoples_profiles_cost_no_request(cluster: Cluster) -> None:
    adaptor, before = await standing(cluster)

    await cluster.create_services("other")
    await cluster.create_profile("other", {"routes": []})
    await cluster.patch_profile("web-0", {"metadata": {"labels": {"a": "b"}}})
    await cluster.settled(adaptor)

    # The mark that shows that all is done costs one; it has no Service, which is told too.
    assert since(before, await quiet(adaptor, events=3)) == {
        ("create", "serviceprofiles"): 1,
        ("create", "events"): 2,
    }


async def test_a_start_lists_once_and_writes_nothing_for_unchanged_splits(cluster: Cluster) -> None:
    adaptor, _ = await standing(cluster, 5)
    await cluster.settled(adaptor)
    await adaptor.stop()

    again = await cluster.adaptor().start()

    asked = since(Counter(), await quiet(again, events=0))
    lists = {resource: n for (verb, resource), n in asked.items() if verb == "list"}
    # One Service, by whose uid the cluster is known, is asked for by a list of its own.
    assert lists == {"trafficsplits": 1, "serviceprofiles": 1, "services": 1 + 1}
    assert {verb for verb, _ in asked} <= {"list", "get"}
