"""One more export, proof or question than may be answered or wait is told when to come again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from reactor.admin.export import OPEN
from reactor.audit.chain import Anchor, Verdict
from reactor.audit.pace import AT_ONCE, Pace
from reactor.audit.query import Filters, Reader
from reactor.audit.query.export import Format
from reactor.audit.slots import WAITING
from tests.unit.admin.client import Answer, ask
from tests.unit.admin.conftest import Serve
from tests.unit.admin.parts import MemoryLog
from tests.unit.audit.logs import opened


class SlowLog(MemoryLog):
    """A log that takes until `go` for whatever reads all of it."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()
        self.running = 0

    async def export(self, filters: Filters, form: Format) -> AsyncIterator[bytes]:
        self.running += 1
        await asyncio.sleep(0)  # before its first part: several may be asked for meanwhile
        yield b""
        await self.go.wait()
        async for part in super().export(filters, form):
            yield part

    async def verify(self, *anchors: Anchor) -> Verdict:
        self.running += 1
        await self.go.wait()
        return await super().verify(*anchors)


@pytest.mark.parametrize(
    ("path", "most", "said"),
    [
        ("/api/v1/export", OPEN, f"There are {OPEN} exports running already."),
        ("/api/v1/verify", 1, "The log is being verified already."),
    ],
)
async def test_one_more_at_the_same_time_is_refused_until_one_has_ended(
    serve: Serve, path: str, most: int, said: str
) -> None:
    log = SlowLog()
    port = (await serve(log=log)).port
    asked = [asyncio.create_task(ask(port, path)) for _ in range(most + 1)]
    ended, running = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
    _is_refused(ended.pop().result(), said)
    assert len(running) == most
    _is_refused(await ask(port, path), said)
    assert log.running == most
    log.go.set()
    assert [answer.status for answer in await asyncio.gather(*running)] == [200] * most
    assert (await ask(port, path)).status == 200


@pytest.mark.parametrize("path", ["/api/v1/export", "/api/v1/verify"])
async def test_a_client_that_goes_away_leaves_its_turn(serve: Serve, path: str) -> None:
    port = (await serve(log=SlowLog())).port
    for _ in range(OPEN + 1):
        async with asyncio.timeout(45):
            # A turn that was given up just now is free a moment later.
            while not await _began(port, path):
                pass


async def test_one_more_question_than_may_wait_is_refused_until_others_are_answered(
    serve: Serve, tmp_path: Path
) -> None:
    path = "/api/v1/entries"
    log, pace = tmp_path / "log.sqlite", Pace()
    async with opened(log), AsyncExitStack() as before:
        port = (await serve(log=Reader(url=str(log), pace=pace))).port
        for _ in range(AT_ONCE):
            await before.enter_async_context(pace.turn())
        asked = [asyncio.create_task(ask(port, path)) for _ in range(WAITING + 1)]
        ended, waiting = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
        _is_refused(ended.pop().result(), f"There are {WAITING} questions waiting already.", wait=5)
        assert len(waiting) == WAITING
        await before.aclose()
        assert {answer.status for answer in await asyncio.gather(*waiting)} == {200}
        assert (await ask(port, path)).status == 200


async def _began(port: int, path: str) -> bool:
    """Ask, go away at the head of the answer, and say whether it was a refusal."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: admin\r\n\r\n".encode())
        return b" 200 " in await reader.readline()
    finally:
        writer.close()
        await writer.wait_closed()


def _is_refused(answer: Answer, said: str, *, wait: int = 30) -> None:
    assert answer.status == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == str(wait)
    assert answer.json()["detail"] == said
