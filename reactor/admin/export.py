"""GET /api/v1/export: every row that passes the filters, as one text."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any, Final, Protocol

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream

from reactor.admin.filters import FILTERS
from reactor.admin.problem import unanswered
from reactor.admin.question import Parameter, read, word
from reactor.admin.turns import Turns, begun
from reactor.audit.query import Filters
from reactor.audit.query.export import Format
from reactor.errors import ReactorError

PATH: Final = "/api/v1/export"
OPEN: Final = 2
"""Exports at a time: each keeps a core busy."""
MEDIA_TYPES: Final[dict[Format, str]] = {
    "ndjson": "application/x-ndjson",
    "csv": "text/csv",
    "bundle": "application/x-ndjson",
}
_SCHEMA = {"type": "string", "enum": list(MEDIA_TYPES), "default": "ndjson"}
PARAMETERS: Final = (
    *FILTERS,
    Parameter(
        "format",
        "A JSON object a line, or comma-separated values. A bundle has the documents too, each in "
        "a line before the first entry that refers to it.",
        "one of " + ", ".join(MEDIA_TYPES),
        _SCHEMA,
        word(_SCHEMA),
    ),
)


class Log(Protocol):
    """A Reader, as far as it is needed here."""

    def export(self, filters: Filters, form: Format) -> AsyncIterator[bytes]:
        """The text, in parts."""
        ...


class Exports:
    """The exports of one port."""

    def __init__(self, *, log: Log, clock: Callable[[], float] = time.time) -> None:
        self._log = log
        self._clock = clock
        self._turns = Turns(OPEN, full=f"There are {OPEN} exports running already.", wait=30)

    def handler(self) -> HTTPRouteHandler:
        """The route."""

        @get(PATH)
        async def export(request: Request[Any, Any, Any]) -> Stream:
            now = int(self._clock() * 1_000_000)
            asked = read(request.scope["query_string"], PARAMETERS, now=now)
            form: Format = asked.pop("format", "ndjson")
            try:
                text = await begun(self._text(Filters(**asked), form))
            except ReactorError as error:
                raise unanswered(error) from error
            return Stream(
                text,
                media_type=MEDIA_TYPES[form],
                headers={
                    "cache-control": "no-store",
                    "content-disposition": f'attachment; filename="audit.{form}"',
                },
            )

        return export

    async def _text(self, filters: Filters, form: Format) -> AsyncGenerator[bytes, None]:
        with self._turns.take():
            async for part in self._log.export(filters, form):
                yield part
