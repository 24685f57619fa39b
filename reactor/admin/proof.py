"""GET /api/v1/verify: whether the log is as it was written. GET /api/v1/stats: how much it is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Final, Protocol

import msgspec
from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream

from reactor.admin import figures, question, wire
from reactor.admin.problem import unanswered
from reactor.admin.question import Parameter
from reactor.admin.route import Route
from reactor.admin.turns import Turns, begun
from reactor.audit.chain import Anchor, Verdict
from reactor.audit.query.stats import Stats
from reactor.errors import ReactorError

PATH: Final = "/api/v1/verify"
_MOST: Final = 30
"""Anchors that a URL has room for."""
_ONE: Final = "[0-9a-f-]{36}:[0-9]{1,18}:[0-9a-f]{64}"
_BEAT: Final = 5.0
"""Seconds after which a blank says that it goes on."""
_SOON: Final = 0.5
"""Seconds in which a failure has a status of its own: no answer has begun."""


def _anchors(text: str, now: int) -> tuple[Anchor, ...]:
    given = text.split(",")
    if len(given) > _MOST:
        raise ValueError(f"{len(given)} anchors are too many")
    return tuple(Anchor.parse(one) for one in given)


ANCHOR = Parameter(
    "anchor",
    "Rows that must be there: what an earlier answer gave, kept elsewhere.",
    f"RUN:SEQ:HASH, up to {_MOST} of them with commas between",
    {"type": "string", "pattern": f"^{_ONE}(,{_ONE}){{0,{_MOST - 1}}}$"},
    _anchors,
)


class Log(Protocol):
    """A Reader, as far as it is needed here."""

    async def stats(self) -> Stats: ...

    async def verify(self, *anchors: Anchor) -> Verdict: ...


def routes(log: Log) -> tuple[Route, ...]:
    """What answers at once."""

    async def counted(places: Mapping[str, Any], query: bytes, now: int) -> bytes:
        question.read(query, (), now=now)
        return msgspec.json.encode(figures.stats(await log.stats()))

    return (
        Route("/api/v1/stats", "How much the log holds, and what is missing.", wire.Stats, counted),
    )


class Proofs:
    """Proofs of the whole log, one at a time: each reads all of it."""

    def __init__(self, *, log: Log) -> None:
        self._log = log
        self._turns = Turns(1, full="The log is being verified already.", wait=30)

    def handler(self) -> HTTPRouteHandler:
        """The route."""

        @get(PATH)
        async def verify(request: Request[Any, Any, Any]) -> Stream:
            asked = question.read(
                request.scope["query_string"], (ANCHOR,), now=int(time.time() * 1_000_000)
            )
            try:
                answer = await begun(self._answer(asked.get("anchor", ())))
            except ReactorError as error:
                raise unanswered(error) from error
            return Stream(
                answer,
                media_type="application/json",
                headers={"cache-control": "no-store"},
            )

        return verify

    async def _answer(self, anchors: Sequence[Anchor]) -> AsyncGenerator[bytes, None]:
        with self._turns.take():
            # JSON may begin with blanks: they keep the connection alive however long it takes.
            proving = asyncio.ensure_future(self._log.verify(*anchors))
            try:
                await asyncio.wait({proving}, timeout=_SOON)
                if proving.done() and proving.exception() is not None:
                    proving.result()
                while not proving.done():
                    yield b" "
                    await asyncio.wait({proving}, timeout=_BEAT)
                try:
                    verdict = proving.result()
                except ReactorError as error:
                    verdict = Verdict(0, f"the log can't be read now: {error}")
                yield msgspec.json.encode(figures.verdict(verdict))
            finally:
                proving.cancel()
                await asyncio.gather(proving, return_exceptions=True)
