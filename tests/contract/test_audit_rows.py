"""The log: each observation, decision and outcome is exactly one row, in order."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from reactor.events import Observed, Synced, Translated
from reactor.translate import decide
from reactor.translate.recorded import decode
from tests.cluster.api import SERVICES
from tests.contract.adaptor import Adaptor, Row
from tests.contract.cluster import Cluster


async def told(adaptor: Adaptor, cluster: Cluster, service: str) -> list[Row]:
    """The rows of one service, its profile's coming back aside."""
    rows = await adaptor.rows(namespace=cluster.namespace, service=service)
    return [row for row in rows if not of_profile(row)]


def of_profile(row: Row) -> bool:
    return row["kind"] == "observed" and bool(row["detail"]["object"] == "serviceprofiles")


def brief(row: Row) -> tuple[str, str]:
    return row["kind"], row["outcome"] or row["detail"].get("type") or row["detail"]["plan"]["type"]


@pytest.mark.permissive
async def test_a_life_of_a_split_is_told_in_order(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])
    await cluster.settled(adaptor)
    await cluster.set_weights("s", [("a", 2)], field_manager="alice")
    await cluster.wait_overrides("web", [("a", "2")])
    await cluster.settled(adaptor)
    await cluster.set_weights("s", [("a", "typo")], field_manager="bob")
    await cluster.settled(adaptor)
    await cluster.delete_split("s")
    await cluster.wait_no_profile("web")
    await cluster.settled(adaptor)

    rows = await told(adaptor, cluster, "web")

    assert [brief(row) for row in rows] == [
        ("observed", "added"),
        ("translated", "create"),
        ("synced", "created"),
        ("observed", "modified"),
        ("translated", "patch"),
        ("synced", "patched"),
        ("observed", "modified"),
        ("translated", "unchanged"),
        ("synced", "invalid"),
        ("observed", "deleted"),
        ("translated", "delete"),
        ("synced", "deleted"),
    ]
    for row in rows:
        assert (row["namespace"], row["service"]) == (cluster.namespace, "web")
    for decision, outcome in zip(rows[1::3], rows[2::3], strict=True):
        assert decision["reconcile"] == outcome["reconcile"]
        assert outcome["detail"].get("attempt", 1) == 1
    assert len({row["reconcile"] for row in rows[1::3]}) == 4
    assert [row["actor"] for row in rows[::3]] == ["tests", "alice", "bob", "unknown"]


async def test_each_write_of_ours_comes_back_as_one_row(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])
    for weight in (2, 3, 4):
        await cluster.set_weights("s", [("a", weight)])
        await cluster.wait_overrides("web", [("a", str(weight))])
    await cluster.delete_split("s")
    await cluster.wait_no_profile("web")
    await cluster.settled(adaptor)

    rows = await adaptor.rows(namespace=cluster.namespace, service="web")

    seen = [row["resource_version"] for row in rows if of_profile(row)]
    written = [row["resource_version"] for row in rows if row["outcome"] in ("created", "patched")]
    assert len(written) == 4
    assert seen[:-1] == written
    last = [row for row in rows if of_profile(row)][-1]
    assert last["detail"]["type"] in ("deleted", "echo")
    assert len(seen) == len(set(seen))


async def test_an_echo_is_one_row_and_wakes_nobody(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()
    for number in range(10):
        await cluster.create_split(f"s-{number}", f"web-{number}", [("a", 1)])
    for number in range(10):
        # Once they are written, they come back before the profile that marks the end.
        await cluster.wait_overrides(f"web-{number}", [("a", "1")])
    await cluster.settled(adaptor)

    rows = await adaptor.rows(namespace=cluster.namespace)

    for number in range(10):
        mine = [row for row in rows if row["service"] == f"web-{number}"]
        assert sorted(brief(row)[0] for row in mine) == [
            "observed",
            "observed",
            "synced",
            "translated",
        ]
        (back,) = [row for row in mine if of_profile(row)]
        assert back["actor"] == "smi-adaptor"
        assert back["detail"]["type"] in ("echo", "added")


async def test_numbers_have_no_holes_and_each_row_its_place(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])
    await cluster.settled(adaptor)
    await adaptor.stop()
    await cluster.adaptor().start()

    rows = await cluster.adaptors[-1].rows()

    by_run: dict[str, list[int]] = {}
    for row in rows:
        by_run.setdefault(row["run"], []).append(row["seq"])
    assert len(by_run) == 2
    for numbers in by_run.values():
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    kinds = [row["kind"] for row in rows]
    assert kinds[0] == "started"
    assert kinds.count("stopped") == 1
    assert kinds.index("stopped") + 1 == len(kinds) - 1 - kinds[::-1].index("started")


async def test_each_run_keeps_which_cluster_it_watched(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()

    (begun,) = await adaptor.rows(kind="started")

    known = await cluster.api.get(SERVICES, "kubernetes", "default")
    assert json.loads(begun["detail"]["settings"])["cluster-uid"] == known["metadata"]["uid"]


async def test_what_others_do_with_their_own_profiles_is_not_recorded(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_profile("theirs", {"routes": []})
    await cluster.patch_profile("theirs", {"metadata": {"labels": {"a": "b"}}})
    await cluster.meddle("theirs", [("x", "1")])
    await cluster.delete_profile("theirs")
    await cluster.create_services("theirs")

    await cluster.settled(adaptor)

    assert await adaptor.rows(service="theirs") == []


async def test_a_profile_that_had_a_split_is_followed_until_it_goes(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_profile("web", {"routes": []}, field_manager="alice")
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])
    await cluster.delete_split("s")
    await adaptor.event(Synced, lambda event: event.decision.desired.overrides is None)
    await cluster.settled(adaptor)
    await adaptor.stop()
    again = await cluster.adaptor().start()

    await cluster.meddle("web", [("x", "1")], field_manager="bob")
    await cluster.settled(again)
    await cluster.delete_profile("web")
    await again.event(
        Observed,
        lambda event: (
            event.object.meta.name == cluster.authority("web") and event.change == "deleted"
        ),
    )
    await cluster.settled(again)

    changes = await cluster.changes(again, "web")
    assert [(row["detail"]["type"], row["actor"]) for row in changes] == [
        ("added", "alice"),
        ("modified", "bob"),
        ("deleted", "unknown"),
    ]


async def test_a_conflict_is_an_outcome_of_its_own(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])
    await cluster.settled(adaptor)
    late = iter([{"metadata": {"labels": {"late": "yes"}}}])

    async def meddle(event: Translated) -> None:
        change = next(late, None)
        if change is not None:
            await cluster.patch_profile("web", change)

    adaptor.daemon.bus.subscribe(Translated, meddle)
    await cluster.set_weights("s", [("a", 2)])
    await adaptor.event(Synced, lambda event: event.outcome == "patched")

    rows = await adaptor.rows(namespace=cluster.namespace, service="web", kind="synced")
    assert [row["outcome"] for row in rows] == ["created", "conflict", "patched"]
    assert [row["detail"]["status"] for row in rows] == [201, 409, 200]
    assert [row["detail"].get("attempt", 1) for row in rows] == [1, 1, 2]
    stages = {"queued", "decided", "committed", "written"}
    assert stages <= rows[-1]["detail"]["durations"].keys()


@pytest.mark.permissive
async def test_every_decision_can_be_made_again_from_its_row(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_services("a")
    await cluster.create_profile("shop", {"routes": []})
    await cluster.create_split("s", "web", [("a", 1_000_000), ("a", 1)])
    await cluster.create_split("t", "shop", [("a", 1)])
    await cluster.create_split("u", "shop", [("b", -1)])
    await cluster.settled(adaptor)
    await cluster.set_weights("s", [("a", "typo")])
    await cluster.meddle("web", [("x", "1")])
    await cluster.delete_split("t")
    await cluster.settled(adaptor)
    await adaptor.rows()

    with closing(sqlite3.connect(adaptor.log_file)) as connection:
        bodies = {
            bytes(digest): body.encode() if isinstance(body, str) else body
            for digest, body in connection.execute("SELECT digest, body FROM documents")
        }
        rows = connection.execute(
            "SELECT detail, documents FROM entries WHERE kind = 'translated' ORDER BY position"
        ).fetchall()
    assert len(rows) > 5
    for detail, joined in rows:
        digests = [joined[at : at + 32] for at in range(0, len(joined), 32)]
        situation, decision = decode(detail.encode(), digests, bodies.__getitem__)
        assert decide(situation) == decision
