"""Readers of the log give way to what is being synced, and to each other, but not for ever."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from reactor.audit.pace import AT_ONCE, LONGEST, QUIET, Pace
from reactor.audit.query import Filters, Reader
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
    async with asyncio.timeout(5), pace.turn():
        async with AsyncExitStack() as others:
            for _ in range(AT_ONCE - 1):
                await others.enter_async_context(pace.turn())
            late = asyncio.create_task(_step(pace))
            await pace.rest()  # what reads all of the log needs no turn
            assert not late.done()
        await late


async def test_the_whole_log_is_read_however_long_a_sync_takes(tmp_path: Path, busy: Pace) -> None:
    path = tmp_path / "log.sqlite"
    async with opened(path) as journal:
        journal.append(entry("synced", "web"))
        assert await journal.commit()
        reader = Reader(url=str(path), pace=busy)
        async with asyncio.timeout(10):
            assert (await reader.verify()).problem is None
            text = b"".join([part async for part in reader.export(Filters(), "ndjson")])
            assert b'"export": "complete"' in text
            assert len((await reader.entries(Filters())).entries) == 2
