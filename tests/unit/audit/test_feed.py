"""Followers get the rows that the journal wrote, and read only what it didn't give them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from reactor.audit import journal as journals
from reactor.audit.feed import Feed
from reactor.audit.journal import Journal
from reactor.audit.query import Filters, Reader
from reactor.audit.row import Row
from reactor.errors import ReactorError
from tests.unit.audit.logs import document, entry, opened


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    return tmp_path / "log.sqlite"


async def _write(journal: Journal, *names: str) -> None:
    for name in names:
        journal.append(entry("synced", name, documents=(document(name),)))
    assert await journal.commit()


async def _log(path: Path) -> Sequence[Row]:
    """All rows but the first, which tells of the start."""
    return (await Reader(url=str(path)).entries(Filters(), order="oldest")).entries[1:]


async def _followed(feed: Feed, position: int, count: int) -> list[Row]:
    found: list[Row] = []
    while len(found) < count:
        rows = await feed.after(position, patience=5)
        assert rows
        found += rows
        position = rows[-1].position
    return found


@asynccontextmanager
async def _reading(feed: Feed) -> AsyncIterator[None]:
    running = asyncio.create_task(feed.run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_rows_come_as_they_are_in_the_log_without_being_read_again(path: Path) -> None:
    feed = Feed(log=Reader(url=str(path)))  # which isn't run, and so reads nothing
    async with opened(path, followers=feed) as journal:
        start = await feed.newest()
        feed.join(start)
        await _write(journal, "a", "b")
        await _write(journal, "c")
        assert await _followed(feed, start, 3) == list(await _log(path))


async def test_a_row_that_nobody_waits_for_does_not_keep_followers_waiting(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "LINGER", 60)
    feed = Feed(log=Reader(url=str(path)))
    async with opened(path, followers=feed) as journal:
        start = await feed.newest()
        feed.join(start)
        journal.append(entry("synced", "a"))
        async with asyncio.timeout(45):
            assert [row.service for row in await feed.after(start, patience=45)] == ["a"]


async def test_rows_that_nobody_told_of_are_read(path: Path) -> None:
    feed = Feed(log=Reader(url=str(path)))
    async with opened(path) as journal, _reading(feed):
        start = await feed.newest()
        feed.join(start)
        await _write(journal, *"abcdef")
        rows = await _log(path)
        feed.committed(rows[2:4])
        feed.committed(rows[3:5])
        feed.committed()
        assert await _followed(feed, start, 6) == list(rows)


async def test_who_comes_back_among_others_does_not_ask_the_log(path: Path) -> None:
    feed = Feed(log=Reader(url=str(path)))
    async with opened(path, followers=feed) as journal:
        await _write(journal, "before")
        start = await feed.newest()
        feed.join(start)
        await _write(journal, "a", "b")
        before, first, newest = await _log(path)
        assert await _followed(feed, start, 2) == [first, newest]
    await asyncio.to_thread(path.unlink)
    assert await feed.newest() == newest.position
    assert await feed.position(first.run, first.seq) == first.position
    for run, seq in [(before.run, before.seq), (newest.run, newest.seq + 9), ("other", 3)]:
        with pytest.raises(ReactorError):
            await feed.position(run, seq)


async def test_what_retention_says_comes_without_another_commit(path: Path) -> None:
    async with opened(path, clock=lambda: 1) as journal:
        await _write(journal, "old")
    feed = Feed(log=Reader(url=str(path)))
    start = await feed.newest()
    feed.join(start)
    async with _reading(feed), opened(path, followers=feed):
        found = await _followed(feed, start, 2)
    feed.leave()
    assert [row.kind for row in found] == ["started", "purged"]


async def test_rows_that_went_before_they_were_read_leave_no_follower_behind(path: Path) -> None:
    log = Reader(url=str(path))
    feed = Feed(log=log)
    async with opened(path) as journal:
        await _write(journal, *"abcdefgh")
    _, first, *_, last = await _log(path)
    feed.join(first.position - 1)
    feed.committed([first])
    feed.committed([])
    feed._add([last])
    assert await feed.after(last.position - 1, patience=5) == [last]
    assert not await feed.after(last.position, patience=0.01)
    feed.leave()
