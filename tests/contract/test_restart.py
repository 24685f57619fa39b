"""A restart repeats nothing that is known and misses nothing that went."""

from __future__ import annotations

import pytest

from tests.cluster.api import SERVICEPROFILES
from tests.contract.adaptor import Adaptor
from tests.contract.cluster import Cluster

WRITES = ("create", "patch", "update", "delete")


async def population(cluster: Cluster) -> None:
    """A split in each of the states that last."""
    await cluster.create_services("web", "a")
    await cluster.create_profile("skipped", {"routes": []}, annotations={"smi.linkerd.io/skip": ""})
    await cluster.create_profile("equal", {"dstOverrides": cluster.overrides([("a", "1")])})
    await cluster.create_split("good", "web", [("a", 1), ("b", "500m")])
    await cluster.create_split("bad", "invalid", [("a", -1)])
    await cluster.create_split("soon-bad", "spoilt", [("a", 1)])
    await cluster.create_split("none", "empty", [])
    await cluster.create_split("leave", "skipped", [("a", 1)])
    await cluster.create_split("same", "equal", [("a", 1)])
    await cluster.create_split("scaled", "heavy", [("a", 1_000_000), ("a", 1), ("b", "1u")])
    await cluster.create_split("stray", "web.other", [("a", 1)])
    await cluster.create_split("z-shadowed", "web", [("b", 1)])
    await cluster.create_split("gone", "gone", [("a", 1)])
    await cluster.create_split("moved", "before", [("a", 1)])


async def rows_of_second_run(cluster: Cluster, adaptor: Adaptor) -> list[tuple[str, str, str]]:
    await cluster.settled(adaptor)
    rows = await adaptor.rows(run=adaptor.daemon.parts.journal.run)
    return [
        (row["kind"], row["service"], row["outcome"])
        for row in rows
        if row["kind"] != "started" and not str(row["service"]).startswith("mark-")
    ]


@pytest.mark.permissive
async def test_an_unchanged_cluster_costs_no_rows_and_no_writes(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()
    await population(cluster)
    await cluster.settled(adaptor)
    await cluster.set_weights("soon-bad", [("a", "typo")])
    await cluster.delete_split("gone")
    await cluster.patch_split("moved", {"service": "after"})
    await cluster.settled(adaptor)
    # Services are synced side by side: the last of these profiles may come back after the mark's.
    await cluster.settled(adaptor)
    await adaptor.stop()
    before = await cluster.api.items(SERVICEPROFILES, cluster.namespace)

    again = await cluster.adaptor().start()
    await again.idle()

    writes = {key: n for key, n in again.requests().items() if key[0] in WRITES}
    assert writes == {}
    assert await cluster.api.items(SERVICEPROFILES, cluster.namespace) == before
    assert await rows_of_second_run(cluster, again) == []


async def test_kept_orphans_cost_no_rows_at_the_next_start(cluster: Cluster) -> None:
    await cluster.create_profile(
        "old", {"dstOverrides": cluster.overrides([("a", "1")])}, field_manager="smi-adaptor"
    )
    adaptor = await cluster.adaptor("--orphans=keep").start()
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])
    await cluster.delete_split("s")
    await cluster.settled(adaptor)
    rows = await adaptor.rows(namespace=cluster.namespace, kind="synced", outcome="skipped")
    assert {row["service"] for row in rows} == {"web", "old"}
    await adaptor.stop()

    again = await cluster.adaptor("--orphans=keep").start()

    assert await rows_of_second_run(cluster, again) == []


async def test_drift_while_down_is_repaired(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()
    for service in ("changed", "removed", "deleted"):
        await cluster.create_split(service, service, [("a", 1)])
        await cluster.wait_overrides(service, [("a", "1")])
    await cluster.settled(adaptor)
    await adaptor.stop()
    await cluster.meddle("changed", [("b", "9")], field_manager="kubectl-edit")
    await cluster.patch_profile("removed", {"spec": {"dstOverrides": None}})
    await cluster.delete_profile("deleted")

    again = await cluster.adaptor().start()

    for service in ("changed", "removed", "deleted"):
        await cluster.wait_overrides(service, [("a", "1")])
    (change,) = await cluster.changes(again, "changed")
    assert (change["detail"]["type"], change["actor"]) == ("modified", "kubectl-edit")
    (deletion,) = await cluster.changes(again, "deleted")
    assert deletion["detail"]["type"] == "deleted"


async def test_changes_of_splits_while_down_are_made_up_for(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.create_split("old", "shop", [("a", 1)])
    await cluster.wait_overrides("shop", [("a", "1")])
    await cluster.settled(adaptor)
    await adaptor.stop()
    await cluster.set_weights("s", [("a", 2)])
    await cluster.delete_split("old")
    await cluster.create_split("old", "shop", [("a", 3)])

    again = await cluster.adaptor().start()

    await cluster.wait_overrides("web", [("a", "2")])
    await cluster.wait_overrides("shop", [("a", "3")])
    rows = await again.rows(run=again.daemon.parts.journal.run, kind="observed", split="old")
    assert [row["detail"]["type"] for row in rows] == ["deleted", "added"]


@pytest.mark.permissive
async def test_the_last_good_overrides_come_from_the_journal(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("spoilt-before", "one", [("a", 1)])
    await cluster.create_split("spoilt-while-down", "two", [("a", 2)])
    await cluster.wait_overrides("one", [("a", "1")])
    await cluster.wait_overrides("two", [("a", "2")])
    await cluster.set_weights("spoilt-before", [("a", "typo")])
    await cluster.settled(adaptor)
    await adaptor.stop()
    await cluster.set_weights("spoilt-while-down", [("a", "typo")])
    await cluster.delete_profile("one")
    await cluster.meddle("two", [("b", "9")])

    await cluster.adaptor().start()

    await cluster.wait_overrides("one", [("a", "1")])
    await cluster.wait_overrides("two", [("a", "2")])


@pytest.mark.permissive
async def test_the_last_good_overrides_of_a_split_that_went_while_down_are_cleared(
    cluster: Cluster,
) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])
    await cluster.settled(adaptor)
    await adaptor.stop()
    await cluster.delete_split("s")
    await cluster.create_split("s", "web", [("a", "typo")])

    await cluster.adaptor().start()

    await cluster.wait_no_profile("web")


async def test_a_new_log_adopts_what_the_cluster_shows(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1)])
    before = await cluster.wait_overrides("web", [("a", "1")])
    await adaptor.stop()

    again = await cluster.adaptor(log="new").start()

    await cluster.settled(again)
    assert await cluster.profile("web") == before
    rows = await again.rows(namespace=cluster.namespace, service="web", kind="synced")
    assert [row["outcome"] for row in rows] == ["unchanged"]
    await cluster.delete_split("s")
    await cluster.wait_no_profile("web")
