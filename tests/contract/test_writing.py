"""Writing profiles: one field, one request, and nothing of anyone else's."""

from __future__ import annotations

import json

import pytest

from reactor.events import Synced, Translated
from reactor.translate.decision import Patch
from tests.cluster.api import NAMESPACES, SERVICEPROFILES, TRAFFICSPLITS, Object
from tests.contract.cluster import Cluster

ROUTES = [
    {
        "name": "GET /",
        "condition": {"method": "GET", "pathRegex": "/"},
        "isRetryable": True,
        "timeout": "250ms",
    }
]
BUDGET = {"retryRatio": 0.2, "minRetriesPerSecond": 10, "ttl": "10s"}
SKIP = "smi.linkerd.io/skip"


def rest(profile: Object) -> str:
    """All of a profile that is not ours to touch, byte for byte."""
    metadata = {
        key: value
        for key, value in profile["metadata"].items()
        if key not in ("managedFields", "resourceVersion", "generation")
    }
    spec = {key: value for key, value in profile["spec"].items() if key != "dstOverrides"}
    return json.dumps({**profile, "metadata": metadata, "spec": spec})


async def test_only_the_overrides_of_someone_elses_profile_are_written(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()
    before = await cluster.create_profile(
        "web",
        {"routes": ROUTES, "retryBudget": BUDGET, "opaquePorts": ["4222"]},
        labels={"team": "shop"},
        annotations={"note": "by hand"},
        finalizers=["example.com/hold"],
    )

    await cluster.create_split("s", "web", [("a", 1), ("b", 2)])
    written = await cluster.wait_overrides("web", [("a", "1"), ("b", "2")])
    assert rest(written) == rest(before)
    await cluster.set_weights("s", [("a", 3)])
    assert rest(await cluster.wait_overrides("web", [("a", "3")])) == rest(before)
    await cluster.delete_split("s")
    await adaptor.event(Synced, lambda event: event.decision.desired.overrides is None)

    cleared = await cluster.profile("web")
    assert cleared is not None
    assert "dstOverrides" not in cleared["spec"]
    assert rest(cleared) == rest(before)
    await cluster.patch_profile("web", {"metadata": {"finalizers": None}})


async def test_fields_that_the_definition_does_not_know_are_kept(cluster: Cluster) -> None:
    await cluster.adaptor().start()
    before = await cluster.create_profile("web", {"routes": ROUTES, "retryBudget": BUDGET})
    odd = {"isRetryable": True, "condition": {"all": [{"x-own": {"deep": [1, 2.5, "1e3"]}}]}}
    routes = [{**odd, "name": "odd"}]
    before = await cluster.patch_profile("web", {"spec": {"routes": routes}})
    assert before["spec"]["routes"] == routes

    await cluster.create_split("s", "web", [("a", 1)])

    assert rest(await cluster.wait_overrides("web", [("a", "1")])) == rest(before)


async def test_a_patch_holds_only_for_the_version_that_was_decided_on(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()
    before = await cluster.create_profile("web", {"routes": ROUTES})
    await cluster.settled(adaptor)

    await cluster.create_split("s", "web", [("a", 1)])

    await cluster.wait_overrides("web", [("a", "1")])
    decided = await adaptor.event(Translated, lambda event: event.key.service == "web")
    assert isinstance(decided.decision.plan, Patch)
    assert decided.decision.plan.resource_version == before["metadata"]["resourceVersion"]
    (row,) = await adaptor.rows(namespace=cluster.namespace, service="web", kind="translated")
    assert row["resource_version"] == before["metadata"]["resourceVersion"]


async def test_a_write_of_someone_else_in_between_is_never_overwritten_blindly(
    cluster: Cluster,
) -> None:
    adaptor = cluster.adaptor()
    await cluster.create_profile("web", {"routes": ROUTES})
    await adaptor.start()
    late = iter([{"metadata": {"labels": {"late": "yes"}}}])

    async def meddle(event: Translated) -> None:
        change = next(late, None)
        if event.key.service == "web" and change is not None:
            await cluster.patch_profile("web", change)

    adaptor.daemon.bus.subscribe(Translated, meddle)
    await cluster.create_split("s", "web", [("a", 1)])

    profile = await cluster.wait_overrides("web", [("a", "1")])
    assert profile["metadata"]["labels"] == {"late": "yes"}
    await adaptor.event(Synced, lambda event: event.outcome == "patched")
    rows = await adaptor.rows(namespace=cluster.namespace, service="web", kind="synced")
    assert [row["outcome"] for row in rows] == ["conflict", "patched"]
    assert rows[0]["detail"]["status"] == 409


async def test_a_profile_made_in_between_is_patched(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()
    late = iter([{"routes": ROUTES}])

    async def meddle(event: Translated) -> None:
        spec = next(late, None)
        if event.key.service == "web" and spec is not None:
            await cluster.create_profile("web", spec)

    adaptor.daemon.bus.subscribe(Translated, meddle)
    await cluster.create_split("s", "web", [("a", 1)])

    profile = await cluster.wait_overrides("web", [("a", "1")])
    assert profile["spec"]["routes"] == ROUTES


async def test_a_value_that_is_there_is_not_written_again_whoever_wrote_it(
    cluster: Cluster,
) -> None:
    before = await cluster.create_profile("web", {"dstOverrides": cluster.overrides([("a", "1")])})
    adaptor = await cluster.adaptor().start()

    await cluster.create_split("s", "web", [("a", 1)])

    await adaptor.event(Synced, lambda event: event.outcome == "unchanged")
    await cluster.settled(adaptor)
    assert await cluster.profile("web") == before


@pytest.mark.parametrize("value", ["true", "", "false"])
async def test_a_profile_annotated_skip_is_left_alone_until_the_annotation_goes(
    cluster: Cluster, value: str
) -> None:
    adaptor = await cluster.adaptor().start()
    before = await cluster.create_profile("web", {"routes": ROUTES}, annotations={SKIP: value})

    await cluster.create_split("s", "web", [("a", 1)])
    await adaptor.event(Synced, lambda event: event.outcome == "skipped")
    await cluster.settled(adaptor)
    assert await cluster.profile("web") == before

    await cluster.patch_profile("web", {"metadata": {"annotations": {SKIP: None}}})
    await cluster.wait_overrides("web", [("a", "1")])


async def test_an_annotation_that_comes_later_stops_writes_and_the_clean_up_too(
    cluster: Cluster,
) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])
    await cluster.patch_profile("web", {"metadata": {"annotations": {SKIP: "yes"}}})
    await adaptor.event(Synced, lambda event: event.outcome == "skipped")

    await cluster.set_weights("s", [("a", 2)])
    await cluster.delete_split("s")
    await cluster.settled(adaptor)
    left = await cluster.profile("web")
    assert left is not None
    assert left["spec"] == {"dstOverrides": cluster.overrides([("a", "1")])}

    await cluster.patch_profile("web", {"metadata": {"annotations": None}})
    await adaptor.event(Synced, lambda event: event.decision.desired.overrides is None)
    await cluster.settled(adaptor)
    live = await cluster.profile("web")
    assert live is None or "dstOverrides" not in live["spec"]


async def test_overrides_that_someone_changes_are_repaired_and_the_log_names_them(
    cluster: Cluster,
) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])
    await cluster.settled(adaptor)

    await cluster.meddle("web", [("a", "9")], field_manager="kubectl-edit")

    await cluster.wait_overrides("web", [("a", "1")])
    (row,) = await cluster.changes(adaptor, "web")
    assert (row["detail"]["type"], row["actor"]) == ("modified", "kubectl-edit")


async def test_overrides_that_someone_removes_are_repaired(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])
    await cluster.settled(adaptor)

    await cluster.patch_profile("web", {"spec": {"dstOverrides": None}}, field_manager="eraser")

    await cluster.wait_overrides("web", [("a", "1")])
    (row,) = await cluster.changes(adaptor, "web")
    assert (row["detail"]["type"], row["actor"]) == ("modified", "unknown")


async def test_a_profile_that_someone_deletes_is_made_again(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1)])
    before = await cluster.wait_overrides("web", [("a", "1")])
    await cluster.settled(adaptor)

    await cluster.delete_profile("web")

    await cluster.api.wait_for(
        SERVICEPROFILES,
        cluster.authority("web"),
        cluster.namespace,
        lambda live: live is not None and live["metadata"]["uid"] != before["metadata"]["uid"],
    )
    after = await cluster.wait_overrides("web", [("a", "1")])
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    await cluster.settled(adaptor)
    (row,) = await cluster.changes(adaptor, "web")
    assert (row["detail"]["type"], row["actor"]) == ("deleted", "unknown")


async def test_a_change_of_other_fields_is_no_reason_to_write(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])

    after = await cluster.patch_profile("web", {"spec": {"routes": ROUTES}})

    await cluster.settled(adaptor)
    assert await cluster.profile("web") == after


async def test_a_create_in_a_terminating_namespace_is_skipped_without_retries(
    cluster: Cluster,
) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])
    hold: Object = {"metadata": {"finalizers": ["example.com/hold"]}}
    await cluster.api.patch(TRAFFICSPLITS, "s", hold, cluster.namespace)
    await cluster.patch_profile("web", hold)
    await cluster.api.delete(NAMESPACES, cluster.namespace)
    await cluster.delete_profile("web")

    await cluster.patch_profile("web", {"metadata": {"finalizers": None}})

    ended = await adaptor.event(Synced, lambda event: event.outcome == "skipped")
    assert ended.status == 403
    await adaptor.idle()
    assert not adaptor.daemon.parts.queue.delayed
    await cluster.api.patch(
        TRAFFICSPLITS, "s", {"metadata": {"finalizers": None}}, cluster.namespace
    )


async def test_a_create_in_a_namespace_that_is_gone_is_skipped_without_retries(
    cluster: Cluster,
) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])

    await cluster.lose_namespace()
    await cluster.delete_profile("web")

    ended = await adaptor.event(Synced, lambda event: event.outcome == "skipped")
    assert ended.status == 404
    await adaptor.idle()
    assert not adaptor.daemon.parts.queue.delayed


async def test_a_profile_that_cannot_be_read_does_not_stop_the_others(cluster: Cluster) -> None:
    await cluster.adaptor().start()
    await cluster.create_profile("odd", {"dstOverrides": [{"authority": "x"}, {"weight": 3}]})

    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.create_split("t", "odd", [("a", 1)])

    await cluster.wait_overrides("web", [("a", "1")])
    await cluster.wait_overrides("odd", [("a", "1")])
    assert await cluster.api.items(SERVICEPROFILES, cluster.namespace)
