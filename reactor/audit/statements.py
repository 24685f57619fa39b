"""The writer's statements, rendered once from the schema.

Many rows go into one statement: SQLite's driver gives up the interpreter lock for each one it
runs, and under load every such handover may cost the writer or the event loop 5 ms.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain
from typing import Any, Protocol

from sqlalchemy import Table
from sqlalchemy.dialects import sqlite

from reactor.audit import schema

SIZES = (64, 16, 4, 1)


class Executor(Protocol):
    """The part of a database connection that is needed here."""

    def execute(self, sql: str, parameters: Sequence[Any], /) -> Any: ...


@cache
def _insert(table: str, columns: tuple[str, ...], rows: int, ignore: bool) -> str:
    quote = sqlite.dialect().identifier_preparer.quote
    names = ", ".join(quote(column) for column in columns)
    values = ", ".join(["(" + ", ".join("?" * len(columns)) + ")"] * rows)
    verb = "INSERT OR IGNORE" if ignore else "INSERT"
    return f"{verb} INTO {quote(table)} ({names}) VALUES {values}"


def _pieces(count: int) -> Iterator[int]:
    """Sizes that add up to ``count``, from few distinct ones: prepared statements are cached."""
    for size in SIZES:
        yield from (size,) * (count // size)
        count %= size


def insert(
    connection: Executor,
    table: Table,
    rows: Sequence[Sequence[Any]],
    *,
    skip: tuple[str, ...] = (),
    ignore: bool = False,
) -> None:
    """Insert rows, given as values in the table's column order (without the ``skip`` ones)."""
    columns = tuple(column.name for column in table.columns if column.name not in skip)
    start = 0
    for size in _pieces(len(rows)):
        piece = rows[start : start + size]
        start += size
        connection.execute(
            _insert(table.name, columns, size, ignore), tuple(chain.from_iterable(piece))
        )


def insert_entries(connection: Executor, rows: Sequence[Sequence[Any]]) -> None:
    """Rows with their hashes."""
    insert(connection, schema.entries, rows)


def insert_documents(connection: Executor, rows: Sequence[tuple[bytes, str]]) -> None:
    """(digest, body); those that are there already stay as they are."""
    insert(connection, schema.documents, rows, skip=("id",), ignore=True)


def document_ids(connection: Executor, digests: Sequence[bytes]) -> dict[bytes, int]:
    """Of those that are there, by digest."""
    found: dict[bytes, int] = {}
    start = 0
    for size in _pieces(len(digests)):
        marks = ", ".join("?" * size)
        found.update(
            connection.execute(
                f"SELECT digest, id FROM documents WHERE digest IN ({marks})",
                digests[start : start + size],
            )
        )
        start += size
    return found


def insert_refs(connection: Executor, rows: Sequence[tuple[int, int]]) -> None:
    """(document, position)."""
    insert(connection, schema.refs, rows, ignore=True)
