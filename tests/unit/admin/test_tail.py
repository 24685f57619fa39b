"""GET /api/v1/tail, on a log in SQLite that is being written."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from reactor.admin.tail import OPEN
from reactor.audit.feed import Feed
from reactor.audit.journal import Journal
from reactor.audit.query import Reader
from tests.unit.admin.conftest import Serve
from tests.unit.audit.logs import entry, opened


class Followed:
    """A log, its feed, and the port that shows them."""

    def __init__(self, journal: Journal, port: int) -> None:
        self.journal = journal
        self.url = f"http://127.0.0.1:{port}/api/v1/tail"

    async def write(self, *names: str, **fields: Any) -> None:
        """Rows about these services, durable."""
        for name in names:
            self.journal.append(entry("synced", name, **fields))
        assert await self.journal.commit()


@pytest.fixture(name="log")
async def _log(tmp_path: Path, serve: Serve) -> AsyncIterator[Followed]:
    path = tmp_path / "log.sqlite"
    reader = Reader(url=str(path))
    feed = Feed(log=reader)
    async with opened(path, followers=feed) as journal:
        running = asyncio.create_task(feed.run())
        server = await serve(log=reader, feed=feed)
        yield Followed(journal, server.port)
        await server.stop()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


class Events:
    """What a client of server-sent events sees."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer
        self.last = ""

    async def next(self) -> dict[str, Any]:
        """The next entry."""
        async with asyncio.timeout(10):
            while True:
                line = (await self._answer.content.readline()).decode().rstrip("\n")
                if line.startswith("id: "):
                    self.last = line[4:]
                elif line.startswith("data: "):
                    found: dict[str, Any] = json.loads(line[6:])
                    assert self.last == f"{found['run']}.{found['seq']}"
                    return found

    async def services(self, count: int) -> list[str]:
        """The services of the next entries."""
        return [(await self.next())["service"] for _ in range(count)]


@asynccontextmanager
async def following(
    log: Followed, *, last: str | None = None, **query: str
) -> AsyncIterator[Events]:
    headers = {} if last is None else {"Last-Event-ID": last}
    async with (
        aiohttp.ClientSession() as session,
        session.get(log.url, params=query, headers=headers) as answer,
    ):
        assert answer.status == 200, await answer.text()
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert await answer.content.readline() == b": on\n"
        yield Events(answer)


async def test_rows_come_as_they_are_written_from_now_on(log: Followed) -> None:
    await log.write("before")
    async with following(log) as events:
        await log.write("a", "b")
        assert await events.services(2) == ["a", "b"]
        await log.write("c")
        assert await events.services(1) == ["c"]


async def test_filters_choose(log: Followed) -> None:
    async with following(log, service="b") as some, following(log, outcome="failed") as failed:
        await log.write("a", "b")
        await log.write("c", outcome="failed")
        await log.write("b")
        assert await some.services(2) == ["b", "b"]
        assert await failed.services(1) == ["c"]


async def test_a_client_that_comes_back_misses_nothing_and_sees_nothing_twice(
    log: Followed,
) -> None:
    total = 150
    names = [str(number) for number in range(total)]

    async def write() -> None:
        for name in names:
            await log.write(name)

    seen: list[str] = []
    last: str | None = None
    async with following(log) as events:
        writing = asyncio.create_task(write())
        seen += await events.services(1)
        last = events.last
    while len(seen) < total:
        async with following(log, last=last) as events:
            seen += await events.services(min(7, total - len(seen)))
            last = events.last
    await writing
    assert seen == names


async def test_a_client_far_behind_reads_the_log_itself(
    log: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with following(log) as events:
        await log.write("first")
        await events.next()
        last = events.last
        await log.write(*(str(number) for number in range(5000)))
        async with following(log, after=last) as late:
            assert await late.services(5000) == [str(number) for number in range(5000)]


async def test_a_line_each_is_json(log: Followed) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.get(log.url, params={"format": "ndjson"}) as answer,
    ):
        assert answer.headers["content-type"].startswith("application/x-ndjson")
        assert await answer.content.readline() == b"\n"
        await log.write("a")
        assert json.loads(await answer.content.readline())["service"] == "a"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"after": "x"}, 400),
        ({"after": "01890a5d-ac96-774b-bcce-b302099a8057.7"}, 404),
        ({"since": "-1h"}, 400),
        ({"format": "xml"}, 400),
    ],
)
async def test_a_wrong_question_is_a_problem(
    log: Followed, query: dict[str, str], status: int
) -> None:
    async with aiohttp.ClientSession() as session, session.get(log.url, params=query) as answer:
        assert answer.status == status
        assert answer.headers["content-type"] == "application/problem+json"


async def test_a_head_has_an_end_and_takes_no_turn(log: Followed) -> None:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session:
        async with asyncio.timeout(10):
            for _ in range(OPEN + 1):
                async with session.head(log.url) as answer:
                    assert (answer.status, answer.content_type) == (200, "text/event-stream")
            async with session.get(log.url) as answer:
                assert answer.status == 200


async def test_only_so_many_are_open_at_a_time(log: Followed) -> None:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        open_ones = [await session.get(log.url) for _ in range(OPEN)]
        for answer in open_ones:
            await answer.content.readline()
        async with session.get(log.url) as refused:
            assert refused.status == 503
            assert refused.headers["Retry-After"] == "10"
        open_ones.pop().close()
        async with asyncio.timeout(5):
            while True:
                async with session.get(log.url) as answer:
                    if answer.status == 200:
                        break
        for answer in open_ones:
            answer.close()
