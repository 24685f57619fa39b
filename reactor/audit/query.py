"""Reads pages of the log, newest first, beside the writer and without holding it up."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from pathlib import Path
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from reactor.audit import engine
from reactor.audit.engine import Connection
from reactor.audit.row import COLUMNS, Row
from reactor.audit.schema import entries
from reactor.audit.trouble import Unavailable, explain

LONGEST_PAGE: Final = 1000
PATIENCE: Final = 5.0
"""Seconds that a page may take: a long reader lets the WAL grow."""
_FEW: Final = 50_000
"""Rows in a span of time up to which they are sorted rather than searched from the newest on."""

_LAST: Final = (1 << 63) - 1
# No more digits than SQLite's integers hold.
_CURSOR: Final = re.compile(r"v1\.([0-9]{1,18})")


class Filters(msgspec.Struct, frozen=True):
    """What a row has to be. ``since`` (inclusive) and ``until`` (exclusive): microseconds UTC."""

    kind: str | None = None
    namespace: str | None = None
    split: str | None = None
    service: str | None = None
    outcome: str | None = None
    since: int | None = None
    until: int | None = None


class Page(msgspec.Struct, frozen=True):
    """Rows, newest first, and the cursor of the page after; None when this is the last."""

    entries: tuple[Row, ...]
    cursor: str | None


class Reader:
    """Each page is read on a connection of its own, so that a replaced file is noticed."""

    def __init__(self, *, url: str) -> None:
        self._path: Path = engine.location(url)

    async def entries(
        self, filters: Filters, *, limit: int = 100, cursor: str | None = None
    ) -> Page:
        """One page. Raises ValueError for a bad limit or cursor, ReactorError when the database
        can't be read or takes longer than 5 s.
        """
        if not 1 <= limit <= LONGEST_PAGE:
            raise ValueError(f"limit must be 1 to {LONGEST_PAGE}, not {limit}")
        before = None if cursor is None else _position(cursor)
        try:
            connection = await Connection.open(engine.reader(self._path))
            try:
                rows = await self._bounded(connection, filters, limit + 1, before)
            finally:
                await connection.close()
        except sqlite3.Error as error:
            raise explain(error, self._path) from error
        more = len(rows) > limit
        return Page(tuple(rows[:limit]), _cursor(rows[limit - 1].position) if more else None)

    async def _bounded(
        self, connection: Connection, filters: Filters, limit: int, before: int | None
    ) -> list[Row]:
        reading = asyncio.ensure_future(
            connection.perform(lambda opened: _read(opened, filters, limit, before))
        )
        try:
            done, _ = await asyncio.wait({reading}, timeout=PATIENCE)
        finally:
            if not reading.done():
                connection.interrupt()
                await asyncio.wait({reading})
        if not done:
            reading.exception()
            raise Unavailable(f"the query took longer than {PATIENCE:g} s; narrow it")
        rows: list[Row] = reading.result()
        return rows


async def _read(
    connection: AsyncConnection, filters: Filters, limit: int, before: int | None
) -> list[Row]:
    equal = {
        name: value
        for name in ("kind", "namespace", "split", "service", "outcome")
        if (value := getattr(filters, name)) is not None
    }
    position: ColumnElement[int] = entries.c.position
    spanned = filters.since is not None or filters.until is not None
    if spanned and not equal.keys() & {"split", "service"} and await _few(connection, filters):
        position = _unindexed("position")
        where = [*_span(filters, entries.c.at), *(_unindexed(n) == v for n, v in equal.items())]
    else:
        # The index of names is by far the best one, which SQLite can't know.
        bare = {"split", "service"}.isdisjoint(equal)
        where = [
            *_span(filters, _unindexed("at")),
            *(
                (entries.c[n] if bare or n not in ("kind", "outcome") else _unindexed(n)) == v
                for n, v in equal.items()
            ),
        ]
        if filters.until is not None:
            newest = await connection.scalar(
                select(func.max(entries.c.position)).where(*_span(filters, entries.c.at))
            )
            before = min(before or _LAST, (newest or 0) + 1)
    if before is not None:
        where.append(position < before)
    # Positions first: they come from the indexes alone, and rows are wide.
    wanted = select(entries.c.position).where(*where).order_by(position.desc()).limit(limit)
    page = (
        select(*(entries.c[column] for column in COLUMNS))
        .where(entries.c.position.in_(wanted))
        .order_by(entries.c.position.desc())
    )
    return [Row(*values) for values in await connection.execute(page)]


def _unindexed(column: str) -> ColumnElement[Any]:
    """The column, so written that SQLite doesn't use an index of it."""
    return literal_column(f"+entries.{column}", entries.c[column].type)


def _span(filters: Filters, at: ColumnElement[int]) -> list[ColumnElement[bool]]:
    span = []
    if filters.since is not None:
        span.append(at >= filters.since)
    if filters.until is not None:
        span.append(at < filters.until)
    return span


async def _few(connection: AsyncConnection, filters: Filters) -> bool:
    some = select(entries.c.at).where(*_span(filters, entries.c.at)).limit(_FEW + 1).subquery()
    return (await connection.scalar(select(func.count()).select_from(some)) or 0) <= _FEW


def _cursor(position: int) -> str:
    return f"v1.{position}"


def _position(cursor: str) -> int:
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise ValueError("cursor is none of ours; leave it out to begin with the newest")
    return int(found[1])
