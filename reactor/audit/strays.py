"""What belongs to no row: documents and references that someone added."""

from __future__ import annotations

import sqlite3
from typing import Any, Final

from reactor.audit.broken import Broken

PAGE: Final = 2000
"""Rows per read transaction."""

_REF = ("digest", "run", "seq")


class Strays:
    """Page by page through `refs`, then through `documents`."""

    def __init__(self) -> None:
        self._tables = [("refs", _REF, _reference), ("documents", ("digest",), _document)]
        self._after: tuple[Any, ...] | None = None

    def finish(self, connection: sqlite3.Connection) -> bool:
        """Whether all was looked through."""
        return not self._tables

    def page(self, connection: sqlite3.Connection) -> None:
        """Look through the next rows. Raises Broken."""
        table, key, check = self._tables[0]
        names = ", ".join(key)
        marks = ", ".join("?" * len(key))
        where, after = "", self._after or ()
        if after:
            where = f"WHERE ({names}) > ({marks})"
        connection.execute("BEGIN")
        try:
            last = connection.execute(
                f"SELECT {names} FROM {table} {where} ORDER BY {names} LIMIT 1 OFFSET {PAGE - 1}",
                after,
            ).fetchone()
            if last is not None:
                where += f" {'AND' if where else 'WHERE'} ({names}) <= ({marks})"
            check(connection, where, (*after, *(last or ())))
        finally:
            connection.execute("ROLLBACK")
        self._after = last
        if last is None:
            del self._tables[0]


def _reference(connection: sqlite3.Connection, where: str, bounds: tuple[Any, ...]) -> None:
    found = connection.execute(
        "SELECT quote(r.digest), r.run, r.seq FROM"
        f" (SELECT digest, run, seq FROM refs {where}) AS r"
        " LEFT JOIN entries AS e ON e.run = r.run AND e.seq = r.seq"
        " WHERE e.position IS NULL OR instr(e.documents, r.digest) % 32 <> 1"
        " ORDER BY r.run, r.seq LIMIT 1",
        bounds,
    ).fetchone()
    if found is not None:
        digest, run, seq = found
        raise Broken(
            f"the reference of row {run}:{seq} to document {_told(digest)} belongs to no row"
        )


def _document(connection: sqlite3.Connection, where: str, bounds: tuple[Any, ...]) -> None:
    found = connection.execute(
        f"SELECT quote(d.digest) FROM (SELECT digest FROM documents {where}) AS d"
        " WHERE NOT EXISTS (SELECT 1 FROM refs WHERE refs.digest = d.digest) LIMIT 1",
        bounds,
    ).fetchone()
    if found is not None:
        raise Broken(f"document {_told(found[0])} belongs to no row")


def _told(quoted: str) -> str:
    """Hexadecimal, as digests are; whatever else someone wrote there, as SQL."""
    return quoted[2:-1].lower() if quoted.startswith("X'") else quoted
