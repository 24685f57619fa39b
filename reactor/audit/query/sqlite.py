"""The log's file, and the search index beside it, as a page needs them."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

from reactor.audit.engine import Connection
from reactor.audit.index.schema import VERSION
from reactor.audit.query import places, records
from reactor.audit.query.ahead import Ahead
from reactor.audit.query.cursor import Cursor
from reactor.audit.query.export import Form, Piece, piece
from reactor.audit.query.filters import Filters
from reactor.audit.query.moments import between
from reactor.audit.query.pages import Found, Lead, Span
from reactor.audit.query.records import Run
from reactor.audit.query.stats import Stats, stats
from reactor.audit.query.terms import TERMS, TIME, Terms, given, possible
from reactor.audit.query.where import conditions
from reactor.audit.row import Row

_STRETCH: Final = 1 << 18
"""Positions among which words are looked for at first; then, while there is time, among more."""

RARE: Final = ("gap", "purged")
"""Kinds of which there are few."""


class SqliteStore:
    """One read transaction on one connection; ``index`` says that the search index is there."""

    def __init__(self, connection: Connection, *, index: bool) -> None:
        self._connection = connection
        self._index = index
        self._indexed = 0
        self._terms: dict[Filters, Terms] = {}
        self._ahead: Ahead | None = None
        self._likely: dict[Filters, bool] = {}

    async def begin(self) -> None:
        """Fix what is seen: rows that come later don't belong to this page."""
        await self._connection.run(self._begin)

    def _begin(self, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN")
        if self._index:
            self._indexed = _indexed(connection)

    async def span(self, filters: Filters) -> Span:
        return await self._connection.run(self._span, filters)

    def _span(self, connection: sqlite3.Connection, filters: Filters) -> Span:
        low, high = connection.execute(
            "SELECT (SELECT min(position) FROM entries), (SELECT max(position) FROM entries)"
        ).fetchone()
        if low is None:
            return Span(1, 0)
        span = Span(low, high)
        if filters.run is not None:
            first, last = connection.execute(
                "SELECT (SELECT position FROM entries WHERE run = ?1 ORDER BY seq LIMIT 1),"
                " (SELECT position FROM entries WHERE run = ?1 ORDER BY seq DESC LIMIT 1)",
                (filters.run,),
            ).fetchone()
            span = Span(1, 0) if first is None else span.part(first, last)
        if self._indexed and (filters.since is not None or filters.until is not None):
            span = span.part(*between(connection, filters, self._indexed, high))
        return span

    async def indexed(self) -> int:
        return self._indexed

    async def count(self, lead: Lead, filters: Filters, span: Span, most: int) -> int:
        return await self._connection.run(self._counted, lead, filters, span, most)

    def _counted(
        self, connection: sqlite3.Connection, lead: Lead, filters: Filters, span: Span, most: int
    ) -> int:
        if self._indexed and (lead == "text" or lead in TERMS):
            # Each of them finds the rows with all of the terms; of the words, too, only text does.
            if filters.reconcile is not None:
                return most  # which has fewer
            return 0 if lead == "text" or filters.text is None else most
        return len(self._positions(connection, lead, filters, span, True, most).positions)

    async def positions(
        self, lead: Lead, filters: Filters, span: Span, *, down: bool, most: int
    ) -> Found:
        return await self._connection.run(self._positions, lead, filters, span, down, most)

    def _positions(
        self,
        connection: sqlite3.Connection,
        lead: Lead,
        filters: Filters,
        span: Span,
        down: bool,
        most: int,
    ) -> Found:
        if lead == "text":
            return self._said(connection, filters, span, down, most)
        if (name := _named(filters)) is not None and lead in ("namespace", "kind", name):
            return Found.full(self._named(connection, name, filters, span, down, most), most)
        if lead not in TERMS:
            return Found.full(self._listed(connection, lead, filters, span, down, most), most)
        known, fresh = span.part(0, self._indexed), span.part(self._indexed + 1, span.high)
        found: list[int] = []
        for part in (fresh, known) if down else (known, fresh):
            if not part:
                continue
            some: Sequence[int] = ()
            last: int | None = None
            rest = most - len(found)
            if part is known:
                some, last = self._common(connection, filters, part, down, rest)
            elif lead in ("split", "service"):
                listed = self._listed(connection, lead, filters, part, down, rest)
                some, last = Found.full(listed, rest)
            found += some
            if last is not None:
                return Found(found, last)
        return Found(found, None)

    def _common(
        self, connection: sqlite3.Connection, filters: Filters, span: Span, down: bool, most: int
    ) -> Found:
        """By all terms of the filters."""
        if not self._possible(connection, filters):
            return Found((), None)
        if filters not in self._terms:
            self._terms[filters] = Terms(connection, filters)
        return self._terms[filters].positions(span, down=down, most=most)

    def _possible(self, connection: sqlite3.Connection, filters: Filters) -> bool:
        """Whether rows of the index have all that is asked for, as far as that is told easily."""
        if self._likely.get(filters) is None:
            self._likely[filters] = possible(connection, filters)
        return self._likely[filters]

    def _said(
        self, connection: sqlite3.Connection, filters: Filters, span: Span, down: bool, most: int
    ) -> Found:
        """By words, and by the terms of the filters too."""
        if not self._possible(connection, filters):
            return Found((), None)
        until = time.perf_counter() + TIME
        size = _STRETCH
        found: list[int] = []
        while span:
            low, high = span.low, span.high
            part = span.part(high - size + 1, high) if down else span.part(low, low + size - 1)
            found += self._text(connection, filters, part, down, most - len(found))
            if len(found) == most:
                return Found(found, found[-1])
            span = span.part(0, part.low - 1) if down else span.part(part.high + 1, high)
            if span and time.perf_counter() >= until:
                return Found(found, part.low if down else part.high)
            size *= 2
        return Found(found, None)

    def _text(
        self, connection: sqlite3.Connection, filters: Filters, span: Span, down: bool, most: int
    ) -> list[int]:
        wanted = filters.wanted()
        assert wanted is not None
        return [
            position
            for (position,) in connection.execute(
                "SELECT rowid FROM side.messages WHERE messages MATCH ? AND rowid BETWEEN ? AND ?"
                f" ORDER BY rowid {'DESC' if down else 'ASC'} LIMIT ?",
                (wanted.match(given(filters)), span.low, span.high, most),
            )
        ]

    def _listed(
        self,
        connection: sqlite3.Connection,
        lead: Lead,
        filters: Filters,
        span: Span,
        down: bool,
        most: int,
    ) -> list[int]:
        """By the log itself, or one of its own indexes."""
        order = "DESC" if down else "ASC"
        if lead in ("split", "service"):
            return self._named(connection, lead, filters, span, down, most)
        values: tuple[str | None, ...] = ()
        sql, place = "SELECT position FROM entries WHERE true", "position"
        if lead == "" and filters.kind in RARE:
            # These few have an index in the log, too; the plus keeps SQLite from the log itself.
            sql, place = f"SELECT position FROM entries WHERE kind = '{filters.kind}'", "+position"
        elif lead == "reconcile":
            sql = "SELECT position FROM entries INDEXED BY entries_reconcile WHERE reconcile = ?"
            values = (filters.reconcile,)
        return [
            position
            for (position,) in connection.execute(
                f"{sql} AND {place} BETWEEN ? AND ? ORDER BY {place} {order} LIMIT ?",
                (*values, span.low, span.high, most),
            )
        ]

    def _named(
        self,
        connection: sqlite3.Connection,
        lead: Lead,
        filters: Filters,
        span: Span,
        down: bool,
        most: int,
    ) -> list[int]:
        """Positions in the index of a name, which has the namespace before the position."""
        name = getattr(filters, lead)
        order = "DESC" if down else "ASC"
        kind = "" if filters.kind is None else " AND kind = ?"
        sql = (
            f"SELECT position FROM entries INDEXED BY entries_{lead} WHERE {lead} = ?"
            f" AND namespace IS ? AND position BETWEEN ? AND ?{kind}"
            f" ORDER BY position {order} LIMIT ?"
        )
        kinds = () if filters.kind is None else (filters.kind,)
        if filters.namespace is not None:
            namespaces: list[str | None] = [filters.namespace]
        else:
            spaces = connection.execute(_SPACES.format(column=lead), (name, name))
            namespaces = [None, *(namespace for (namespace,) in spaces)]
        found = [
            position
            for namespace in namespaces
            for (position,) in connection.execute(
                sql, (name, namespace, span.low, span.high, *kinds, most)
            )
        ]
        return sorted(found, reverse=down)[:most]

    async def rows(
        self, positions: Sequence[int], filters: Filters, *, down: bool, most: int | None
    ) -> Sequence[Row]:
        return await self._connection.run(self._rows, positions, filters, down, most)

    def _rows(
        self,
        connection: sqlite3.Connection,
        positions: Sequence[int],
        filters: Filters,
        down: bool,
        most: int | None,
    ) -> list[Row]:
        if self._ahead is None:
            self._ahead = Ahead(connection)
        self._ahead.rows("entries", positions)
        where, parameters = conditions(filters)
        order = "DESC" if down else "ASC"
        found = connection.execute(
            f"{records.ROWS} WHERE e.position IN (SELECT value FROM json_each(?)){where}"
            f" ORDER BY e.position {order} LIMIT ?",
            (json.dumps(positions), *parameters, -1 if most is None else most),
        )
        return [Row(*row) for row in found]

    async def piece(self, positions: Sequence[int], filters: Filters, form: Form) -> Piece:
        return await self._connection.run(piece, positions, filters, form)

    async def translated(self, cursor: Cursor) -> Cursor:
        """A cursor of the archive's order as one of this log's."""
        return await self._connection.run(places.translated, cursor)

    async def place(self, position: int) -> int:
        """A position of this log in the archive's order."""
        return await self._connection.run(places.place, position)

    async def entry(self, run: str, seq: int) -> Row | None:
        return await self._connection.run(records.entry, run, seq)

    async def document(self, digest: bytes) -> str | None:
        return await self._connection.run(records.document, digest)

    async def documents(self, digests: Sequence[bytes]) -> dict[bytes, str]:
        return await self._connection.run(records.documents, tuple(dict.fromkeys(digests)))

    async def stats(self, path: Path) -> Stats:
        return await self._connection.run(stats, path, self._indexed)

    async def runs(self) -> list[Run]:
        return await self._connection.run(records.runs)


def _named(filters: Filters) -> Literal["split", "service"] | None:
    """Whose index in the log has all terms of the filters, and the positions in order."""
    terms = (filters.given() & TERMS) - {"kind", "namespace"}
    if filters.namespace is None or len(terms) != 1:
        return None
    return "split" if "split" in terms else "service" if "service" in terms else None


# From one namespace straight to the next in the index.
_SPACES: Final = """
WITH RECURSIVE spaces (namespace) AS (
    SELECT min(namespace) FROM entries WHERE {column} = ?
    UNION ALL
    SELECT (SELECT min(namespace) FROM entries
            WHERE {column} = ? AND namespace > spaces.namespace)
    FROM spaces WHERE spaces.namespace IS NOT NULL
)
SELECT namespace FROM spaces WHERE namespace IS NOT NULL
"""


def _indexed(connection: sqlite3.Connection) -> int:
    """How far the index is, 0 when it is of another log or version."""
    (version,) = connection.execute("PRAGMA side.user_version").fetchone()
    if version != VERSION:
        return 0
    position, run, seq = connection.execute(
        "SELECT position, run, seq FROM side.progress"
    ).fetchone()
    found = connection.execute(
        "SELECT run, seq FROM entries WHERE position = ?", (position,)
    ).fetchone()
    return int(position) if found == (run, seq) else 0
