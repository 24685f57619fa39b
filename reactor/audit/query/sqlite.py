"""The log's file, and the search index beside it, as a page needs them."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

from reactor.audit.engine import Connection
from reactor.audit.index.schema import BLOCK, VERSION
from reactor.audit.query import records
from reactor.audit.query.cursor import Cursor
from reactor.audit.query.export import Form, Piece, piece
from reactor.audit.query.filters import Filters
from reactor.audit.query.pages import Found, Lead, Span
from reactor.audit.query.position import LOWEST, pack, unpack
from reactor.audit.query.records import Run
from reactor.audit.query.stats import Stats, stats
from reactor.audit.query.terms import TERMS, TIME, Terms
from reactor.audit.query.where import conditions
from reactor.audit.row import Row

_MANY: Final = 128
"""Rows up to which those with all terms of the filters are counted."""
_WORDS: Final = 4096
"""Rows with the words that are looked at together for other terms."""


class SqliteStore:
    """One read transaction on one connection; ``index`` says that the search index is there."""

    def __init__(self, connection: Connection, *, index: bool) -> None:
        self._connection = connection
        self._index = index
        self._indexed = 0
        self._terms: dict[Filters, Terms] = {}
        self._few: dict[Filters, tuple[Span, list[int]]] = {}
        self._first: dict[tuple[Filters, Span], Found] = {}

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
            span = span.part(*self._between(connection, filters, high))
        return span

    def _between(
        self, connection: sqlite3.Connection, filters: Filters, newest: int
    ) -> tuple[int, int]:
        """From the first block with a row late enough to the last with one early enough."""
        (first,) = connection.execute(
            "SELECT min(block) FROM side.blocks WHERE newest >= ?", (filters.since or 0,)
        ).fetchone()
        (last,) = connection.execute(
            "SELECT max(block) FROM side.blocks WHERE oldest < ?",
            ((1 << 62) if filters.until is None else filters.until,),
        ).fetchone()
        low, high = self._indexed + 1, newest
        if first is not None:
            low = first * BLOCK
            if filters.since is not None:
                low = _edge(connection, first, "min", ">=", filters.since) or low
        # What isn't indexed yet may be from any time.
        if newest <= self._indexed and last is not None:
            high = last * BLOCK + BLOCK - 1
            if filters.until is not None:
                high = _edge(connection, last, "max", "<", filters.until) or high
        return low, high

    async def indexed(self) -> int:
        return self._indexed

    async def count(self, lead: Lead, filters: Filters, span: Span, most: int) -> int:
        return await self._connection.run(self._counted, lead, filters, span, most)

    def _counted(
        self, connection: sqlite3.Connection, lead: Lead, filters: Filters, span: Span, most: int
    ) -> int:
        if lead == "text":
            return len(self._text(connection, filters, span, True, most))
        if lead not in TERMS or not self._indexed:
            return len(self._positions(connection, lead, filters, span, True, most).positions)
        # The same for each of the terms: it is of all of them. They are only told from words, of
        # which more than a page has are many, and from a reconcile's id, which always has fewer.
        if filters.reconcile is not None:
            return most
        if filters.text is None:
            return 0
        found = self._positions(connection, lead, filters, span, True, min(most, _MANY))
        return most if found.last is not None else len(found.positions)

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
            elif lead not in ("finding", "actor"):
                listed = self._listed(connection, lead, filters, part, down, rest)
                some, last = Found.full(listed, rest)
            found += some
            if last is not None:
                return Found(found, last)
        return Found(found, None)

    def _common(
        self, connection: sqlite3.Connection, filters: Filters, span: Span, down: bool, most: int
    ) -> Found:
        """By all terms of the filters; few of them are looked for only once."""
        if filters in self._few:
            whole, few = self._few[filters]
            if whole.low <= span.low and span.high <= whole.high:
                inside = [position for position in few if span.low <= position <= span.high]
                return Found.full((inside[::-1] if down else inside)[:most], most)
        if down and (filters, span) in self._first:
            # It was counted.
            counted = self._first[filters, span]
            if len(counted.positions) <= most:
                return counted
            return Found.full(counted.positions[:most], most)
        found = self._termed(connection, filters).positions(span, down=down, most=most)
        if found.last is None:
            self._few[filters] = span, sorted(found.positions)
        elif down:
            self._first[filters, span] = found
        return found

    def _termed(self, connection: sqlite3.Connection, filters: Filters) -> Terms:
        if filters not in self._terms:
            self._terms[filters] = Terms(connection, filters)
        return self._terms[filters]

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
                (wanted.match(), span.low, span.high, most),
            )
        ]

    def _said(
        self, connection: sqlite3.Connection, filters: Filters, span: Span, down: bool, most: int
    ) -> Found:
        """By words, and by the terms of the filters too."""
        if not TERMS & filters.given():
            return Found.full(self._text(connection, filters, span, down, most), most)
        terms = self._termed(connection, filters)
        until = time.perf_counter() + TIME
        size = most
        found: list[int] = []
        while span:
            said = self._text(connection, filters, span, down, size)
            found += terms.among(said)
            if len(found) >= most:
                return Found(found[:most], found[most - 1])
            if len(said) < size:
                break
            last = said[-1]
            if time.perf_counter() >= until:
                return Found(found, last)
            span = span.part(0, last - 1) if down else span.part(last + 1, span.high)
            size = max(size, min(4 * size, _WORDS))
        return Found(found, None)

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
        values: tuple[str, ...] = ()
        if lead == "":
            sql = "SELECT position FROM entries WHERE true"
        else:
            sql = f"SELECT position FROM entries INDEXED BY entries_{lead} WHERE {lead} = ?"
            values = (getattr(filters, lead),)
        return [
            position
            for (position,) in connection.execute(
                f"{sql} AND position BETWEEN ? AND ? ORDER BY position {order} LIMIT ?",
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
        return await self._connection.run(_translated, cursor)

    async def place(self, position: int) -> int:
        """A position of this log in the archive's order."""
        return await self._connection.run(_place, position)

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


def _edge(connection: sqlite3.Connection, block: int, end: str, before: str, at: int) -> int | None:
    """The first or last position of a block on one side of a moment; None when the clock jumped
    there, so that the index of times has too much between the block's own.
    """
    count, position = connection.execute(
        f"SELECT count(*), {end}(CASE WHEN position / {BLOCK} = ?1 AND at {before} ?2"
        " THEN position END) FROM (SELECT position, at FROM side.blocks AS b"
        " CROSS JOIN entries AS e INDEXED BY entries_at ON e.at BETWEEN b.oldest AND b.newest"
        f" WHERE b.block = ?1 LIMIT {2 * BLOCK})",
        (block, at),
    ).fetchone()
    return position if count < 2 * BLOCK else None


def _named(filters: Filters) -> Literal["split", "service"] | None:
    """Whose index in the log has all terms of the filters, and the positions in order."""
    terms = (filters.given() & TERMS) - {"kind", "namespace"}
    if filters.namespace is None or len(terms) != 1:
        return None
    return "split" if "split" in terms else "service" if "service" in terms else None


def _translated(connection: sqlite3.Connection, cursor: Cursor) -> Cursor:
    """To the same row; to the same time when it is another replica's, or gone."""
    at, run, seq = unpack(cursor.position)
    found = connection.execute(
        "SELECT position FROM entries WHERE run = ? AND seq = ?", (run, seq)
    ).fetchone()
    if found is not None:
        return Cursor(found[0], cursor.above)
    found = connection.execute(
        "SELECT position FROM entries WHERE at <= ? ORDER BY at DESC, position DESC LIMIT 1", (at,)
    ).fetchone()
    position = 0 if found is None else found[0]
    return Cursor(position if cursor.above else position + 1, cursor.above)


def _place(connection: sqlite3.Connection, position: int) -> int:
    found = connection.execute(
        "SELECT at, run, seq FROM entries WHERE position <= ? ORDER BY position DESC LIMIT 1",
        (min(position, (1 << 63) - 1),),  # a cursor may say anything
    ).fetchone()
    return LOWEST if found is None else pack(*found)


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
