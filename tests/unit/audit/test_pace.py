"""Readers of the log give way to what is being synced, and to each other, but not for ever."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from reactor.audit.query import Filters, Reader
from reactor.audit.query.pace import AT_ONCE, LONGEST, Pace
from tests.unit.audit.logs import entry, opened


@pytest.fixture(name="idle")
def _idle() -> asyncio.Event:
    return asyncio.Event()


async def _step(pace: Pace) -> float:
    """When a question may begin."""
    async with pace.turn():
        return asyncio.get_running_loop().time()


async def test_a_question_waits_until_what_is_being_synced_has_ended(idle: asyncio.Event) -> None:
    asked = asyncio.create_task(_step(Pace(idle=idle)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not asked.done()
    ended = asyncio.get_running_loop().time()
    idle.set()
    assert await asked - ended < LONGEST


async def test_a_question_goes_on_however_long_a_sync_takes(idle: asyncio.Event) -> None:
    asked = asyncio.get_running_loop().time()
    assert await _step(Pace(idle=idle)) - asked >= 0.9 * LONGEST


async def test_only_so_many_questions_are_answered_at_a_time(idle: asyncio.Event) -> None:
    idle.set()
    pace = Pace(idle=idle)
    async with asyncio.timeout(5), pace.turn():
        others = [pace.turn() for _ in range(AT_ONCE - 1)]
        for other in others:
            await other.__aenter__()
        late = asyncio.create_task(_step(pace))
        await pace.rest()  # what reads all of the log needs no turn
        assert not late.done()
        for other in others:
            await other.__aexit__(None, None, None)
        if others:
            await late
    await late


async def test_the_whole_log_is_read_however_long_a_sync_takes(
    tmp_path: Path, idle: asyncio.Event
) -> None:
    path = tmp_path / "log.sqlite"
    async with opened(path) as journal:
        journal.append(entry("synced", "web"))
        assert await journal.commit()
        reader = Reader(url=str(path), pace=Pace(idle=idle))
        async with asyncio.timeout(10):
            assert (await reader.verify()).problem is None
            text = b"".join([part async for part in reader.export(Filters(), "ndjson")])
            assert b'"export": "complete"' in text
            assert len((await reader.entries(Filters())).entries) == 2
