"""GET /api/v1/entries: the log, newest first."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from reactor.admin import filters, moment, wire
from reactor.admin.filters import Question
from reactor.admin.problem import Refused
from reactor.audit.query import Filters, Page
from reactor.audit.row import Row
from reactor.errors import ReactorError

_SLICE = 100
_PAGE_BYTES = 2 * 1024 * 1024


class Log(Protocol):
    """Reads the log: ValueError for a cursor that is none, ReactorError when it can't now."""

    async def entries(
        self, filters: Filters, *, limit: int = 100, cursor: str | None = None
    ) -> Page:
        """Return at most ``limit`` rows, newest first, from ``cursor`` on."""
        ...


def entries(*, log: Log, clock: Callable[[], float] = time.time) -> HTTPRouteHandler:
    """Return the handler; ``clock`` gives seconds since 1970 for relative times."""

    @get("/api/v1/entries")
    async def list_entries(request: Request[Any, Any, Any]) -> Response[bytes]:
        question = filters.read(request.scope["query_string"], now=int(clock() * 1_000_000))
        try:
            body = await _page(log, question)
        except ReactorError as error:
            raise Refused(
                503, f"The log can't be read now: {error}.", headers={"Retry-After": "5"}
            ) from error
        return Response(body, media_type="application/json", headers={"cache-control": "no-store"})

    return list_entries


async def _page(log: Log, question: Question) -> bytes:
    """Return the page as JSON, read and encoded in slices so that the event loop goes on.

    It ends early, with a cursor, once it is large: memory stays bounded.
    """
    chunks: list[bytes] = []
    cursor, wanted, size = question.cursor, question.limit, 0
    while True:
        page = await log.entries(question.filters, limit=min(_SLICE, wanted), cursor=cursor)
        for row in page.entries:
            chunk = msgspec.json.encode(_entry(row))
            chunks.append(chunk)
            size += len(chunk)
        cursor, wanted = page.cursor, wanted - len(page.entries)
        if cursor is None or wanted <= 0 or size >= _PAGE_BYTES:
            break
    return b'{"entries":[%b],"next":%b}' % (b",".join(chunks), msgspec.json.encode(cursor))


def _entry(row: Row) -> wire.Entry:
    return wire.Entry(
        run=row.run,
        seq=row.seq,
        at=moment.text(row.at),
        kind=row.kind,
        namespace=row.namespace,
        split=row.split,
        service=row.service,
        outcome=row.outcome,
        actor=row.actor,
        reconcile=row.reconcile,
        resource_version=row.resource_version,
        detail=msgspec.Raw(row.detail.encode()),
        documents=tuple(digest.hex() for digest in row.digests),
        hash=row.hash.hex(),
    )
