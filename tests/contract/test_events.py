"""Kubernetes Events: what the author of a split sees in `kubectl describe`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cluster.api import EVENTS, NAMESPACES, TRAFFICSPLITS, Object
from tests.contract.cluster import Cluster
from tests.contract.waiting import until


async def test_creations_and_updates_are_told_in_the_guides_words(cluster: Cluster) -> None:
    await cluster.adaptor().start()
    split = await cluster.create_split("s", "web", [("a", 1)])
    created = await cluster.wait_event("Created", "s")

    await cluster.set_weights("s", [("a", 2)])

    updated = await cluster.wait_event("Updated", "s")
    name = cluster.authority("web")
    assert created["message"] == f"Created Service Profile {name}"
    assert updated["message"] == f"Updated Service Profile {name}"
    for event in (created, updated):
        assert event["type"] == "Normal"
        assert event["source"] == {"component": "smi-controller"}
        assert event["involvedObject"]["kind"] == "TrafficSplit"
        assert event["involvedObject"]["uid"] == split["metadata"]["uid"]


async def test_repeated_events_are_counted_up_on_one(cluster: Cluster) -> None:
    await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])

    for weight in (2, 3, 4):
        await cluster.set_weights("s", [("a", weight)])
        await cluster.wait_overrides("web", [("a", str(weight))])

    await cluster.wait_event("Updated", "s", lambda event: event["count"] == 3)
    reasons = [event["reason"] for event in await cluster.events("s")]
    assert reasons.count("Updated") == 1


FINDINGS: dict[str, dict[str, Any]] = {
    "InvalidWeight": {"backends": [{"service": "a", "weight": -1}]},
    "InvalidSplit": {"backends": [{"service": "Not a name", "weight": 1}]},
    "CrossNamespace": {"service": "web.other"},
    "UnsupportedMatches": {"matches": [{"kind": "HTTPRouteGroup", "name": "users"}]},
    "DuplicateBackend": {"backends": [{"service": "a", "weight": 1}] * 2},
    "WeightsScaled": {"backends": [{"service": "a", "weight": 1_000_000}]},
    "WeightRounded": {
        "backends": [{"service": "a", "weight": "1n"}, {"service": "b", "weight": "400k"}]
    },
    "AllWeightsZero": {"backends": [{"service": "a", "weight": 0}]},
    "NoBackends": {"backends": []},
    "ServiceNotFound": {},
}


@pytest.mark.permissive
@pytest.mark.parametrize("reason", FINDINGS)
async def test_each_finding_is_a_warning_on_its_split(cluster: Cluster, reason: str) -> None:
    await cluster.adaptor().start()
    split = cluster.split("s", "web", [("a", 1)], version="v1alpha4")
    split["spec"].update(FINDINGS[reason])

    await cluster.api.create(TRAFFICSPLITS.at("v1alpha4"), split, cluster.namespace)

    event = await cluster.wait_event(reason, "s")
    assert event["type"] == "Warning"
    assert event["message"]
    assert event["source"] == {"component": "smi-controller"}


async def test_a_shadowed_split_and_a_headless_service_are_warned_of(cluster: Cluster) -> None:
    await cluster.adaptor().start()
    await cluster.create_services("web", "a", headless=True)
    await cluster.create_split("first", "web", [("a", 1)])
    await cluster.next_second()

    await cluster.create_split("second", "web", [("a", 2)])

    shadowed = await cluster.wait_event("ShadowedBy", "second")
    assert "the older first" in shadowed["message"]
    assert "web, a" in (await cluster.wait_event("HeadlessService", "first"))["message"]
    assert "Created" not in [event["reason"] for event in await cluster.events("second")]


async def test_a_finding_that_stands_is_told_once_and_again_when_it_comes_back(
    cluster: Cluster,
) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 0)])
    await cluster.wait_event("AllWeightsZero", "s")
    await cluster.set_weights("s", [("b", 0)])
    await cluster.settled(adaptor)
    (event,) = [e for e in await cluster.events("s") if e["reason"] == "AllWeightsZero"]
    assert event["count"] == 1

    await cluster.set_weights("s", [("b", 1)])
    await cluster.wait_overrides("web", [("b", "1")])
    await cluster.set_weights("s", [("b", 0)])

    await cluster.wait_event("AllWeightsZero", "s", lambda event: event["count"] == 2)


async def test_an_event_that_is_refused_fails_no_sync(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_event("Created", "s")
    hold: Object = {"metadata": {"finalizers": ["example.com/hold"]}}
    await cluster.api.patch(TRAFFICSPLITS, "s", hold, cluster.namespace)
    await cluster.patch_profile("web", hold)
    # In a terminating namespace nothing can be made, an Event neither.
    await cluster.api.delete(NAMESPACES, cluster.namespace)

    await cluster.set_weights("s", [("a", 2)])

    await cluster.wait_overrides("web", [("a", "2")])
    await until(lambda: adaptor.daemon.parts.announcer.dropped["failed"])
    rows = await adaptor.rows(namespace=cluster.namespace, kind="synced")
    assert {row["outcome"] for row in rows} <= {"created", "patched", "unchanged"}
    release: Object = {"metadata": {"finalizers": None}}
    await cluster.api.patch(TRAFFICSPLITS, "s", release, cluster.namespace)
    await cluster.patch_profile("web", release)


async def test_a_split_that_changes_all_the_time_makes_25_events_and_no_more(
    cluster: Cluster,
) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1)])
    for weight in range(2, 30):
        await cluster.set_weights("s", [("a", weight)])
        await cluster.wait_overrides("web", [("a", str(weight))])

    announcer = adaptor.daemon.parts.announcer
    await until(lambda: announcer.dropped["spam"] and not len(announcer))
    told = [
        event["count"]
        for event in await cluster.api.items(EVENTS, cluster.namespace)
        if event["involvedObject"]["name"] == "s"
    ]
    assert sum(told) <= 25


async def test_a_split_with_the_longest_name_is_told_of_too(cluster: Cluster) -> None:
    await cluster.adaptor().start()
    name = ".".join(["s" * 62] * 4) + "s"
    assert len(name) == 252

    await cluster.create_split(name, "web", [("a", 1)])

    event = await cluster.wait_event("Created", name)
    assert event["involvedObject"]["name"] == name
