"""GET /api/v1/tail: rows as they are committed, as server-sent events or a line each."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncGenerator, Callable
from typing import Any, Final, Literal

import msgspec
from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream

from reactor.admin.entries import entry
from reactor.admin.filters import FILTERS
from reactor.admin.problem import FieldError, Refused, unanswered
from reactor.admin.question import Parameter, read, word
from reactor.admin.turns import Turns, begun
from reactor.audit.feed import Feed
from reactor.audit.query.filters import Filters, Sieve
from reactor.audit.row import Row
from reactor.errors import ReactorError

PATH: Final = "/api/v1/tail"
OPEN: Final = 32
"""Tails at a time."""
BEAT: Final = 15.0
"""Seconds after which a silent tail says that it lives."""
_PLACE: Final = r"^[0-9a-f-]{36}\.[0-9]{1,18}$"

Format = Literal["sse", "ndjson"]


_AFTER_SCHEMA = {"type": "string", "pattern": _PLACE}
_FORMAT_SCHEMA = {"type": "string", "enum": ["sse", "ndjson"], "default": "sse"}
AFTER = Parameter(
    "after",
    "Where to go on: the id of the last event that came. The Last-Event-ID header says the same.",
    "RUN.SEQ",
    _AFTER_SCHEMA,
    word(_AFTER_SCHEMA),
)
FORMAT = Parameter(
    "format",
    "Server-sent events, or a JSON object a line.",
    "one of sse, ndjson",
    _FORMAT_SCHEMA,
    word(_FORMAT_SCHEMA),
)
PARAMETERS: Final = (*(f for f in FILTERS if f.name not in ("since", "until")), AFTER, FORMAT)


class Tails:
    """The open tails of one port."""

    def __init__(
        self, *, feed: Feed, beat: float = BEAT, clock: Callable[[], float] = time.time
    ) -> None:
        self._feed = feed
        self._beat = beat
        self._clock = clock
        self._turns = Turns(OPEN, full=f"There are {OPEN} tails open already.", wait=10)

    def handler(self) -> HTTPRouteHandler:
        """The route."""

        @get(PATH)
        async def tail(request: Request[Any, Any, Any]) -> Stream:
            now = int(self._clock() * 1_000_000)
            asked = read(request.scope["query_string"], PARAMETERS, now=now)
            form: Format = asked.pop("format", "sse")
            after = asked.pop("after", None) or request.headers.get("last-event-id")
            try:
                rows = await begun(self._rows(Filters(**asked), after, form))
            except ReactorError as error:
                raise unanswered(error) from error
            return Stream(
                rows,
                media_type="text/event-stream" if form == "sse" else "application/x-ndjson",
                headers={"cache-control": "no-store", "x-log-source": "local"},
            )

        return tail

    async def _begin(self, after: str | None) -> int:
        if not after:
            return await self._feed.newest()
        if not re.fullmatch(_PLACE, after):
            error = FieldError("after", f"{after[:64]!r} does not match", AFTER.allowed)
            raise Refused(400, f"The question can't be answered. after: {error.message}.",
                          errors=(error,))  # fmt: skip
        run, _, seq = after.partition(".")
        position = await self._feed.position(run, int(seq))
        if position is None:
            raise Refused(
                404,
                f"The log has no entry {after} (any more): begin without it, and read what lies "
                "between from /api/v1/entries.",
            )
        return position

    async def _rows(
        self, asked: Filters, after: str | None, form: Format
    ) -> AsyncGenerator[bytes, None]:
        with self._turns.take():
            position = await self._begin(after)
            self._feed.join(position)
            try:
                # The head leaves with the first bytes, and a client wants to know that it is on.
                yield b": on\n\n" if form == "sse" else b"\n"
                async for part in self._news(Sieve(asked), position, form):
                    yield part
            finally:
                self._feed.leave()

    async def _news(self, sieve: Sieve, position: int, form: Format) -> AsyncGenerator[bytes, None]:
        encode = _event if form == "sse" else _line
        while True:
            try:
                rows = await self._feed.after(position, patience=self._beat)
            except ReactorError:
                return  # the client comes back with the last id, or is told why not
            if rows:
                position = rows[-1].position
                if found := b"".join(encode(row) for row in rows if sieve.fits(row)):
                    yield found
            else:
                yield b": alive\n\n" if form == "sse" else b"\n"


def _event(row: Row) -> bytes:
    return b"id: %b.%d\nevent: entry\ndata: %b\n\n" % (
        row.run.encode(),
        row.seq,
        msgspec.json.encode(entry(row)),
    )


def _line(row: Row) -> bytes:
    return msgspec.json.encode(entry(row)) + b"\n"
