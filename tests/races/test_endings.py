"""Ends amid a write, and a log that can't be written: what happened is known afterwards."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing

import pytest

from reactor.events import Synced
from reactor.sandbox.faults import Faults
from tests.contract.cluster import Cluster
from tests.contract.waiting import until

PROFILES = "serviceprofiles"


async def test_a_write_in_flight_at_the_end_is_waited_for_and_recorded(
    cluster: Cluster, faults: Faults
) -> None:
    adaptor = await cluster.adaptor().start()
    gate = faults.hold(after=True, verb="create", resource=PROFILES, times=1)
    await cluster.create_split("s", "web", [("a", 1)])
    await gate.until(1)

    stopping = asyncio.create_task(adaptor.stop())
    await asyncio.sleep(0)
    gate.open()
    await stopping

    (created,) = await adaptor.rows(kind="synced", service="web")
    assert created["outcome"] == "created"


async def test_a_split_that_changes_at_the_end_is_left_to_the_next_start(
    cluster: Cluster, faults: Faults
) -> None:
    adaptor = await cluster.adaptor().start()
    gate = faults.hold(after=True, verb="create", resource=PROFILES, times=1)
    await cluster.create_split("s", "web", [("a", 1)])
    await gate.until(1)
    stopping = asyncio.create_task(adaptor.stop())
    await asyncio.sleep(0)
    await cluster.set_weights("s", [("a", 2)])
    gate.open()
    await stopping
    await cluster.wait_overrides("web", [("a", "1")])

    again = await cluster.adaptor().start()

    await cluster.wait_overrides("web", [("a", "2")])
    await again.event(Synced, lambda event: event.outcome == "patched")


@pytest.mark.parametrize("took_effect", [True, False], ids=["written", "not written"])
async def test_a_write_that_outlasts_the_end_is_told_and_found_by_the_next_start(
    cluster: Cluster, faults: Faults, took_effect: bool
) -> None:
    adaptor = await cluster.adaptor().start()
    gate = faults.hold(after=took_effect, verb="create", resource=PROFILES, times=1)
    await cluster.create_split("s", "web", [("a", 1)])
    await gate.until(1)
    began = time.monotonic()
    await adaptor.stop()
    assert time.monotonic() - began < 5.0
    (told,) = await adaptor.rows(kind="synced", service="web")
    assert told["outcome"] == "interrupted"
    assert "the next start looks" in told["detail"]["message"]

    again = await cluster.adaptor().start()

    await cluster.wait_overrides("web", [("a", "1")])
    await cluster.settled(again)
    _, *found = [row["outcome"] for row in await again.rows(kind="synced", service="web")]
    assert found == ([] if took_effect else ["created"])


async def test_splits_go_on_being_translated_while_someone_locks_the_log(
    cluster: Cluster,
) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])
    await cluster.settled(adaptor)
    journal = adaptor.daemon.parts.journal
    with closing(sqlite3.connect(adaptor.log_file, isolation_level=None)) as theirs:
        theirs.execute("BEGIN IMMEDIATE")
        for weight in range(2, 12):
            await cluster.set_weights("s", [("a", weight)])
            await cluster.wait_overrides("web", [("a", str(weight))], timeout=20.0)
        assert journal.degraded is not None
        assert [reason for reason in adaptor.daemon.reasons() if "audit log" in reason]
        theirs.execute("ROLLBACK")

    await until(lambda: journal.degraded is None)
    await until(lambda: journal.backlog == 0)
    assert adaptor.daemon.reasons() == []
    await cluster.settled(adaptor)
    outcomes = [row["outcome"] for row in await adaptor.rows(kind="synced", service="web")]
    assert outcomes == ["created"] + ["patched"] * 10


async def test_a_log_that_someone_deletes_is_written_anew(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])
    await cluster.settled(adaptor)

    adaptor.log_file.unlink()
    await until(adaptor.log_file.exists)
    await cluster.set_weights("s", [("a", 2)])

    await adaptor.event(Synced, lambda event: event.outcome == "patched")
    journal = adaptor.daemon.parts.journal
    await until(lambda: journal.degraded is None and not journal.backlog)
    outcomes = [row["outcome"] for row in await adaptor.rows(kind="synced", service="web")]
    assert outcomes == ["created", "patched"]
