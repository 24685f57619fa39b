"""The table `refs` as a proof reads it: by position, or by run and seq as until schema 0001."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, Final, NamedTuple, Protocol

from reactor.audit.row import Row

_MARKS: Final = 2000
"""Digests in one statement."""


class Stray(NamedTuple):
    """A reference that belongs to no row. Each part is SQL: what stands there may be anything."""

    document: str
    row: str


class References(Protocol):
    """One form of the table."""

    @property
    def key(self) -> tuple[str, ...]:
        """The columns by which it is in order."""
        ...

    def of(
        self, connection: sqlite3.Connection, rows: Sequence[Row]
    ) -> Iterator[tuple[bytes, int]]:
        """Digest and position for each that these rows, which follow one another, have."""
        ...

    def stray(
        self, connection: sqlite3.Connection, where: str, bounds: tuple[Any, ...]
    ) -> Stray | None:
        """The first of a part of the table that belongs to no row."""
        ...

    def unreferred(self, alias: str) -> str:
        """The condition that nothing refers to a document."""
        ...


def references(connection: sqlite3.Connection) -> References:
    """In the form that this file has."""
    columns = {name for _, name, *_ in connection.execute("PRAGMA table_info(refs)")}
    return _ByName() if "digest" in columns else _ByPosition()


class _ByPosition:
    key = ("document", "position")

    def of(
        self, connection: sqlite3.Connection, rows: Sequence[Row]
    ) -> Iterator[tuple[bytes, int]]:
        for marks, digests in _digests(rows):
            yield from connection.execute(
                "SELECT d.digest, r.position FROM documents AS d CROSS JOIN refs AS r"
                f" ON r.document = d.id AND r.position BETWEEN ? AND ? WHERE d.digest IN ({marks})",
                (rows[0].position, rows[-1].position, *digests),
            )

    def stray(
        self, connection: sqlite3.Connection, where: str, bounds: tuple[Any, ...]
    ) -> Stray | None:
        found = connection.execute(
            "SELECT coalesce(quote(d.digest), 'number ' || quote(r.document)),"
            " coalesce(e.run || ':' || e.seq, 'at position ' || quote(r.position))"
            f" FROM (SELECT document, position FROM refs {where}) AS r"
            " LEFT JOIN documents AS d ON d.id = r.document"
            " LEFT JOIN entries AS e ON e.position = r.position"
            " WHERE d.id IS NULL OR e.position IS NULL OR instr(e.documents, d.digest) % 32 <> 1"
            " ORDER BY r.position LIMIT 1",
            bounds,
        ).fetchone()
        return None if found is None else Stray(*found)

    def unreferred(self, alias: str) -> str:
        return f"NOT EXISTS (SELECT 1 FROM refs WHERE refs.document = {alias}.id)"


class _ByName:
    key = ("digest", "run", "seq")

    def of(
        self, connection: sqlite3.Connection, rows: Sequence[Row]
    ) -> Iterator[tuple[bytes, int]]:
        for run, some in groupby(rows, key=lambda row: row.run):
            those = list(some)
            first = those[0].position - those[0].seq
            for marks, digests in _digests(those):
                yield from connection.execute(
                    f"SELECT digest, seq + ? FROM refs WHERE digest IN ({marks})"
                    " AND run = ? AND seq BETWEEN ? AND ?",
                    (first, *digests, run, those[0].seq, those[-1].seq),
                )

    def stray(
        self, connection: sqlite3.Connection, where: str, bounds: tuple[Any, ...]
    ) -> Stray | None:
        found = connection.execute(
            "SELECT quote(r.digest), r.run || ':' || r.seq FROM"
            f" (SELECT digest, run, seq FROM refs {where}) AS r"
            " LEFT JOIN entries AS e ON e.run = r.run AND e.seq = r.seq"
            " WHERE e.position IS NULL OR instr(e.documents, r.digest) % 32 <> 1"
            " ORDER BY r.run, r.seq LIMIT 1",
            bounds,
        ).fetchone()
        return None if found is None else Stray(*found)

    def unreferred(self, alias: str) -> str:
        return f"NOT EXISTS (SELECT 1 FROM refs WHERE refs.digest = {alias}.digest)"


def _digests(rows: Sequence[Row]) -> Iterator[tuple[str, list[bytes]]]:
    """All that the rows refer to, in parts, with a mark for each."""
    digests = sorted({digest for row in rows for digest in row.digests})
    for start in range(0, len(digests), _MARKS):
        piece = digests[start : start + _MARKS]
        yield ", ".join("?" * len(piece)), piece
