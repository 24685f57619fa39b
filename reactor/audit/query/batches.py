"""A stretch of the log from its oldest row on, in batches, for one that reads much of it.

Plain SQL on a connection of the caller's thread: no hop for each batch.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final, NamedTuple

from reactor.audit import engine
from reactor.audit.query.filters import Filters
from reactor.audit.query.pages import Span
from reactor.audit.query.where import conditions
from reactor.audit.row import DIGEST
from reactor.audit.trouble import explain

ROWS: Final = 256
"""Rows of a batch, which are in memory at once with their documents."""
_MARKS: Final = 500
_MAPPED: Final = 1 << 30
"""Bytes of the file that are read without a copy of each page: documents lie all over it. While a
transaction reads them nobody makes the file shorter."""


class Recorded(NamedTuple):
    """What a replay needs of a row; fields as in `reactor.audit.row.Row`."""

    position: int
    run: str
    seq: int
    at: int
    kind: str
    namespace: str | None
    split: str | None
    service: str | None
    actor: str | None
    detail: str
    documents: bytes

    @property
    def digests(self) -> list[bytes]:
        """The documents it refers to, in order."""
        joined = self.documents
        return [joined[at : at + DIGEST] for at in range(0, len(joined), DIGEST)]


_COLUMNS: Final = ", ".join(f"e.{column}" for column in Recorded._fields)


class Batch(NamedTuple):
    """Rows in their order, and those documents of theirs that are there, by digest."""

    rows: list[Recorded]
    documents: dict[bytes, bytes]


def batches(path: Path, filters: Filters, span: Span) -> Iterator[Batch]:
    """The rows between two positions that the filters on columns and time let pass.

    Each batch is a transaction of its own, so that the WAL doesn't grow. Raises ReactorError.
    """
    try:
        with closing(
            sqlite3.connect(
                engine.uri(path, "ro"), uri=True, timeout=engine.BUSY, isolation_level=None
            )
        ) as connection:
            connection.execute("PRAGMA query_only=ON")
            connection.execute("PRAGMA cache_size=-32000")
            connection.execute(f"PRAGMA mmap_size={_MAPPED}")
            while span and (batch := _batch(connection, filters, span)).rows:
                yield batch
                span = span.part(batch.rows[-1].position + 1, span.high)
    except sqlite3.Error as error:
        raise explain(error, path) from error


def _batch(connection: sqlite3.Connection, filters: Filters, span: Span) -> Batch:
    connection.execute("BEGIN")
    try:
        sql, parameters = _select(filters, span)
        rows = list(map(Recorded._make, connection.execute(sql, parameters)))
        return Batch(rows, _documents(connection, rows))
    finally:
        connection.execute("COMMIT")


def _select(filters: Filters, span: Span) -> tuple[str, list[Any]]:
    """By a name's index, which is in the order of positions within a namespace; else as it lies.

    Of a kind there are too many rows for its index to be worth its while.
    """
    where, parameters = conditions(filters)
    named: list[Any] = []
    source, lead = "entries AS e", ""
    if filters.namespace is not None and (filters.split or filters.service) is not None:
        column = "split" if filters.split is not None else "service"
        source += f" INDEXED BY entries_{column}"
        lead = f" AND e.{column} = ? AND e.namespace = ?"
        named = [getattr(filters, column), filters.namespace]
    return (
        f"SELECT {_COLUMNS} FROM {source} WHERE e.position BETWEEN ? AND ?{lead}{where}"
        f" ORDER BY e.position LIMIT {ROWS}",
        [span.low, span.high, *named, *parameters],
    )


def _documents(connection: sqlite3.Connection, rows: Sequence[Recorded]) -> dict[bytes, bytes]:
    joined = b"".join([row.documents for row in rows])
    digests = list({joined[at : at + DIGEST] for at in range(0, len(joined), DIGEST)})
    found: dict[bytes, bytes] = {}
    for at in range(0, len(digests), _MARKS):
        piece = digests[at : at + _MARKS]
        found.update(
            connection.execute(
                "SELECT digest, CAST(body AS BLOB) FROM documents"
                f" WHERE digest IN ({', '.join('?' * len(piece))})",
                piece,
            )
        )
    return found
