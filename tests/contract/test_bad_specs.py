"""Specs that the shipped definition refuses, but an older one may have let in."""

from __future__ import annotations

import pytest

from reactor.events import Synced
from tests.cluster.api import TRAFFICSPLITS, Object
from tests.contract.cluster import Cluster

pytestmark = pytest.mark.permissive

BAD_SPECS: dict[str, tuple[object, str]] = {
    "no-weight": ({"backends": [{"service": "a"}]}, "InvalidWeight"),
    "null-weight": ({"backends": [{"service": "a", "weight": None}]}, "InvalidWeight"),
    "no-backend-service": ({"backends": [{"weight": 1}]}, "InvalidSplit"),
    "backend-service-a-number": ({"backends": [{"service": 7, "weight": 1}]}, "InvalidSplit"),
    "backend-not-an-object": ({"backends": ["a"]}, "InvalidSplit"),
    "backends-a-text": ({"backends": "a"}, "InvalidSplit"),
    "backends-an-object": ({"backends": {"a": 1}}, "InvalidSplit"),
    "backend-not-a-name": ({"backends": [{"service": "A b", "weight": 1}]}, "InvalidSplit"),
    "service-a-number": ({"service": 7}, "InvalidSplit"),
    "service-an-object": ({"service": {"name": "web"}}, "InvalidSplit"),
    "service-missing": ({"service": None}, "InvalidSplit"),
    "service-not-a-name": ({"service": "web!"}, "InvalidSplit"),
    "matches-a-text": ({"matches": "users"}, "InvalidSplit"),
    "matches-of-texts": ({"matches": ["users"]}, "InvalidSplit"),
    "spec-a-list": ([], "InvalidSplit"),
    "spec-missing": (None, "InvalidSplit"),
}


@pytest.mark.parametrize("case", BAD_SPECS)
async def test_a_bad_spec_leaves_the_last_good_overrides_and_still_has_a_name(
    cluster: Cluster, case: str
) -> None:
    change, reason = BAD_SPECS[case]
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1)])
    before = await cluster.wait_overrides("web", [("a", "1")])

    await cluster.api.patch(TRAFFICSPLITS, "s", {"spec": change}, cluster.namespace)

    finding = await adaptor.finding(reason, "s")
    assert finding.message.startswith("spec")
    await cluster.settled(adaptor)
    assert await cluster.profile("web") == before
    rows = await adaptor.rows(namespace=cluster.namespace, service="web", kind="synced")
    assert [row["outcome"] for row in rows] == ["created", "invalid"]
    await cluster.delete_split("s")
    await cluster.wait_no_profile("web")


async def test_nothing_in_a_split_stops_another(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()
    nested: object = 1
    for _ in range(90):
        nested = [nested]
    specs: list[object] = [
        *(change for change, _ in BAD_SPECS.values()),
        {"service": "web", "backends": [{"service": "a", "weight": nested}]},
        {"service": "web", "backends": [{"service": "a", "weight": "9" * 100_000}]},
        {"service": "web", "backends": [{"service": "a", "weight": "1e" + "9" * 50}]},
        {"service": "web", "backends": [{"service": f"b{n}", "weight": 1} for n in range(5000)]},
        {"service": "x" * 100_000, "backends": []},
        {"service": "web\u0000\ud83d\ude00", "backends": [{"service": "\u202e", "weight": "½"}]},
    ]
    for number, spec in enumerate(specs):
        await cluster.api.create(TRAFFICSPLITS, _odd(f"odd-{number}", spec), cluster.namespace)

    await cluster.create_split("good", "shop", [("a", 1)])

    await cluster.wait_overrides("shop", [("a", "1")])
    rows = await adaptor.rows(namespace=cluster.namespace, kind="observed")
    assert {row["split"] for row in rows if row["split"]} == {
        "good",
        *(f"odd-{number}" for number in range(len(specs))),
    }


def _odd(name: str, spec: object) -> Object:
    return {
        "apiVersion": "split.smi-spec.io/v1alpha1",
        "kind": "TrafficSplit",
        "metadata": {"name": name},
        "spec": spec,
    }


@pytest.mark.parametrize("spec", [{"backends": []}, {"service": 7}, None, {"service": "web.other"}])
async def test_a_split_that_names_no_service_is_told_so_once(
    cluster: Cluster, spec: object, caplog: pytest.LogCaptureFixture
) -> None:
    adaptor = await cluster.adaptor().start()

    await cluster.api.create(TRAFFICSPLITS, _odd("odd", spec), cluster.namespace)
    await cluster.api.patch(
        TRAFFICSPLITS, "odd", {"metadata": {"labels": {"a": "b"}}}, cluster.namespace
    )

    await cluster.settled(adaptor)
    rows = await adaptor.rows(namespace=cluster.namespace, split="odd")
    reasons = [row["detail"]["problem"]["reason"] for row in rows]
    assert reasons in (["InvalidSplit"] * 2, ["CrossNamespace"] * 2)
    lines = [r.getMessage() for r in caplog.records if "trafficsplit/odd" in r.getMessage()]
    assert len(lines) == 1


async def test_a_service_that_becomes_unreadable_stays_the_last_known_one_after_a_restart(
    cluster: Cluster,
) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1)])
    before = await cluster.wait_overrides("web", [("a", "1")])
    await cluster.api.patch(TRAFFICSPLITS, "s", {"spec": {"service": 7}}, cluster.namespace)
    await adaptor.finding("InvalidSplit", "s")
    await adaptor.stop()

    again = await cluster.adaptor().start()
    await cluster.settled(again)
    assert await cluster.profile("web") == before
    await cluster.delete_split("s")

    await cluster.wait_no_profile("web")


async def test_a_service_that_became_unreadable_while_down_stays_the_last_known_one(
    cluster: Cluster,
) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1)])
    before = await cluster.wait_overrides("web", [("a", "1")])
    await adaptor.stop()
    await cluster.api.patch(TRAFFICSPLITS, "s", {"spec": {"service": 7}}, cluster.namespace)

    again = await cluster.adaptor().start()

    await again.finding("InvalidSplit", "s")
    await cluster.settled(again)
    assert await cluster.profile("web") == before
    await cluster.patch_split("s", {"service": "web", "backends": [{"service": "a", "weight": 2}]})
    await cluster.wait_overrides("web", [("a", "2")])


async def test_no_orphan_goes_while_a_split_of_its_namespace_was_never_readable(
    cluster: Cluster,
) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1)])
    before = await cluster.wait_overrides("web", [("a", "1")])
    await cluster.api.create(TRAFFICSPLITS, _odd("odd", {"service": 7}), cluster.namespace)

    await cluster.delete_split("s")

    await adaptor.event(Synced, lambda event: event.outcome == "skipped")
    await cluster.settled(adaptor)
    assert await cluster.profile("web") == before
    await cluster.delete_split("odd")
    await cluster.wait_no_profile("web")


async def test_no_orphan_goes_at_a_restart_either_while_a_split_was_never_readable(
    cluster: Cluster,
) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1)])
    before = await cluster.wait_overrides("web", [("a", "1")])
    await cluster.api.create(TRAFFICSPLITS, _odd("odd", {"service": 7}), cluster.namespace)
    await cluster.settled(adaptor)
    await adaptor.stop()
    await cluster.delete_split("s")

    again = await cluster.adaptor().start()

    await again.event(Synced, lambda event: event.outcome == "skipped")
    await cluster.settled(again)
    assert await cluster.profile("web") == before
    await cluster.patch_split(
        "odd", {"service": "web", "backends": [{"service": "b", "weight": 1}]}
    )
    await cluster.wait_overrides("web", [("b", "1")])
