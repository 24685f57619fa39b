"""Readers of the log give way to what is being synced, and to each other, but not for ever."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import AsyncExitStack, closing
from pathlib import Path

import pytest

from reactor.audit.pace import AT_ONCE, LONGEST, QUIET, SHARE, Pace, measured
from reactor.audit.query import Filters, Reader
from reactor.audit.slots import WAITING
from reactor.audit.trouble import Crowded
from tests.unit.audit.logs import entry, opened


@pytest.fixture(name="busy")
async def _busy() -> Pace:
    """While something is being synced."""
    pace = Pace()
    pace.started()
    return pace


async def _step(pace: Pace) -> float:
    """When a question may begin."""
    async with pace.turn():
        return asyncio.get_running_loop().time()


async def test_a_question_waits_until_what_is_being_synced_has_ended(busy: Pace) -> None:
    asked = asyncio.create_task(_step(busy))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not asked.done()
    busy.rested()
    ended = asyncio.get_running_loop().time()
    # The clocks of both may differ by their resolution.
    assert 0.9 * QUIET <= await asked - ended < LONGEST


async def test_a_question_goes_on_however_long_a_sync_takes(busy: Pace) -> None:
    asked = asyncio.get_running_loop().time()
    assert await _step(busy) - asked >= 0.9 * LONGEST


async def test_only_so_many_questions_are_answered_at_a_time() -> None:
    pace = Pace()
    async with asyncio.timeout(45), pace.turn():
        async with AsyncExitStack() as others:
            for _ in range(AT_ONCE - 1):
                await others.enter_async_context(pace.turn())
            late = asyncio.create_task(_step(pace))
            await pace.rest(0)  # what reads all of the log needs no turn
            assert not late.done()
        await late


async def test_only_so_many_questions_wait() -> None:
    pace = Pace()
    async with AsyncExitStack() as first:
        for _ in range(AT_ONCE):
            await first.enter_async_context(pace.turn())
        waiting = [asyncio.create_task(_step(pace)) for _ in range(WAITING)]
        await asyncio.sleep(0)
        with pytest.raises(Crowded, match=str(WAITING)):
            await _step(pace)
        waiting.pop().cancel()
        await asyncio.sleep(0)
        waiting.append(asyncio.create_task(_step(pace)))
    await asyncio.gather(*waiting)
    await _step(pace)


async def test_those_who_read_all_of_the_log_share_a_part_of_the_time(busy: Pace) -> None:
    with busy.reading():
        # One second of work in so many.
        assert 1 / (1 + busy.owed(1)) == pytest.approx(SHARE)
        with busy.reading(), busy.reading():
            assert 1 / (1 + busy.owed(1)) == pytest.approx(SHARE / 3)
        worked = 0.03
        before = asyncio.get_running_loop().time()
        for give_way in (busy.give_way, busy.rest):
            await give_way(worked)
        assert asyncio.get_running_loop().time() - before >= 0.9 * 2 * busy.owed(worked)


async def test_who_worked_little_goes_on_soon(busy: Pace) -> None:
    before = asyncio.get_running_loop().time()
    with busy.reading():
        for _ in range(10):
            await busy.rest(0.0001)
    assert asyncio.get_running_loop().time() - before < 10 * LONGEST


async def test_the_time_of_a_step_is_what_its_thread_worked() -> None:
    def step(connection: sqlite3.Connection) -> str:
        cancelled.wait(0.2)
        return "done"

    cancelled = threading.Event()
    with closing(sqlite3.connect(":memory:")) as connection:
        result, worked = measured(connection, step)
    assert result == "done"
    assert worked < 0.1


async def test_the_whole_log_is_read_however_long_a_sync_takes(tmp_path: Path, busy: Pace) -> None:
    path = tmp_path / "log.sqlite"
    async with opened(path) as journal:
        journal.append(entry("synced", "web"))
        assert await journal.commit()
        reader = Reader(url=str(path), pace=busy)
        async with asyncio.timeout(45):
            assert (await reader.verify()).problem is None
            text = b"".join([part async for part in reader.export(Filters(), "ndjson")])
            assert b'"export": "complete"' in text
            assert len((await reader.entries(Filters())).entries) == 2
