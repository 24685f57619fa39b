"""What belongs to no row: documents and references that someone added."""

from __future__ import annotations

import sqlite3
from typing import Any, Final

from reactor.audit.broken import Broken
from reactor.audit.references import References, references

PAGE: Final = 2000
"""Rows per read transaction."""


class Strays:
    """Page by page through `refs`, then through `documents`."""

    def __init__(self) -> None:
        self._tables = ["refs", "documents"]
        self._after: tuple[Any, ...] | None = None

    def finish(self, connection: sqlite3.Connection) -> bool:
        """Whether all was looked through."""
        return not self._tables

    def page(self, connection: sqlite3.Connection) -> None:
        """Look through the next rows. Raises Broken."""
        table = self._tables[0]
        connection.execute("BEGIN")
        try:
            form = references(connection)
            key = form.key if table == "refs" else ("digest",)
            check = _reference if table == "refs" else _document
            names = ", ".join(key)
            marks = ", ".join("?" * len(key))
            where, after = "", self._after or ()
            if len(after) != len(key):
                after = ()  # the log was migrated meanwhile, too
            if after:
                where = f"WHERE ({names}) > ({marks})"
            last = connection.execute(
                f"SELECT {names} FROM {table} {where} ORDER BY {names} LIMIT 1 OFFSET {PAGE - 1}",
                after,
            ).fetchone()
            if last is not None:
                where += f" {'AND' if where else 'WHERE'} ({names}) <= ({marks})"
            check(form, connection, where, (*after, *(last or ())))
        finally:
            connection.execute("ROLLBACK")
        self._after = last
        if last is None:
            del self._tables[0]


def _reference(
    form: References, connection: sqlite3.Connection, where: str, bounds: tuple[Any, ...]
) -> None:
    found = form.stray(connection, where, bounds)
    if found is not None:
        raise Broken(
            f"the reference of row {found.row} to document {_told(found.document)}"
            " belongs to no row"
        )


def _document(
    form: References, connection: sqlite3.Connection, where: str, bounds: tuple[Any, ...]
) -> None:
    found = connection.execute(
        f"SELECT quote(d.digest) FROM (SELECT * FROM documents {where}) AS d"
        f" WHERE {form.unreferred('d')} LIMIT 1",
        bounds,
    ).fetchone()
    if found is not None:
        raise Broken(f"document {_told(found[0])} belongs to no row")


def _told(quoted: str) -> str:
    """Hexadecimal, as digests are; whatever else someone wrote there, as SQL."""
    return quoted[2:-1].lower() if quoted.startswith("X'") else quoted
