"""What the log knows from earlier runs: read once, at start, however long the log is."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec

from reactor.audit.row import COLUMNS, DIGEST, Row

WINDOW: Final = 10 * 60 * 1_000_000
"""Microseconds before the end of a run in which a decision may still have been open."""
REACH: Final = 300_000
"""Rows before the end of a run that are looked at for it, at most."""


class Recollection(msgspec.Struct, frozen=True):
    """The last known of everything, oldest first.

    ``observed``: the last `observed` row of each split and each profile (deletions included).
    ``translated``: the last `translated` row of each service. ``open``: `translated` rows of
    earlier runs that no `synced` row ends. ``documents``: the bodies of what ``observed`` (but
    for deletions) and ``open`` refer to, by digest. ``known`` is False when the log can't be read.
    """

    observed: tuple[Row, ...] = ()
    translated: tuple[Row, ...] = ()
    open: tuple[Row, ...] = ()
    documents: dict[bytes, bytes] = {}
    known: bool = True


_SELECT = "SELECT " + ", ".join(f"e.{column}" for column in COLUMNS) + " FROM entries AS e"

# Each step goes straight to the next name, or namespace, in the index, and then to the newest
# position there, however many rows lie between.
_LAST = """
WITH RECURSIVE names (name) AS (
    SELECT min({column}) FROM entries WHERE {column} IS NOT NULL
    UNION ALL
    SELECT (SELECT min({column}) FROM entries WHERE {column} > names.name)
    FROM names WHERE names.name IS NOT NULL
),
keys (name, namespace) AS (
    SELECT names.name, (SELECT min(namespace) FROM entries WHERE {column} = names.name)
    FROM names WHERE names.name IS NOT NULL
    UNION ALL
    SELECT keys.name, (SELECT min(namespace) FROM entries
                       WHERE {column} = keys.name AND namespace > keys.namespace)
    FROM keys WHERE keys.namespace IS NOT NULL
)
{select} JOIN (
    SELECT (SELECT position FROM entries INDEXED BY entries_{column}
            WHERE {column} = keys.name AND namespace = keys.namespace AND kind = ?
            {also} ORDER BY position DESC LIMIT 1) AS position
    FROM keys WHERE keys.namespace IS NOT NULL
) AS newest ON newest.position = e.position ORDER BY e.position
"""
"""The profile's rows bear no split, those of splits do: hence ``also``."""


def _rows(connection: sqlite3.Connection, sql: str, parameters: Sequence[Any]) -> Iterator[Row]:
    for values in connection.execute(sql, parameters):
        yield Row(*values)


def recollect(connection: sqlite3.Connection, run: str) -> Recollection:
    """Read it, for the run that has just begun ("" for none)."""
    connection.execute("BEGIN")
    try:
        splits = list(
            _rows(connection, _LAST.format(column="split", select=_SELECT, also=""), ("observed",))
        )
        profiles = list(
            _rows(
                connection,
                _LAST.format(column="service", select=_SELECT, also="AND split IS NULL"),
                ("observed",),
            )
        )
        translated = tuple(
            _rows(
                connection,
                _LAST.format(column="service", select=_SELECT, also=""),
                ("translated",),
            )
        )
        unsettled = tuple(
            row for earlier in unended(connection, run) for row in open_rows(connection, earlier)
        )
        observed = tuple(sorted(splits + profiles, key=lambda row: row.position))
        return Recollection(
            observed=observed,
            translated=translated,
            open=unsettled,
            documents=_bodies(connection, (*observed, *unsettled)),
        )
    finally:
        connection.execute("ROLLBACK")


def unended(connection: sqlite3.Connection, run: str) -> list[str]:
    """Runs before ``run`` that have no end, oldest first."""
    found = connection.execute("SELECT id FROM runs WHERE ended IS NULL ORDER BY id").fetchall()
    return [earlier for (earlier,) in found if earlier != run]


def open_rows(connection: sqlite3.Connection, run: str) -> list[Row]:
    """Decisions late in this run that no `synced` row of any run ends."""
    last = connection.execute(
        "SELECT position, at FROM entries WHERE run = ? ORDER BY seq DESC LIMIT 1", (run,)
    ).fetchone()
    if last is None:
        return []
    position, at = last
    return list(
        _rows(
            connection,
            f"{_SELECT} INDEXED BY entries_decisions WHERE e.kind = 'translated'"
            " AND e.position BETWEEN ? AND ? AND e.run = ? AND e.at >= ?"
            " AND NOT EXISTS (SELECT 1 FROM entries AS s WHERE s.reconcile = e.reconcile"
            " AND s.kind = 'synced' AND s.position > e.position) ORDER BY e.position",
            (position - REACH, position, run, at - WINDOW),
        )
    )


def settled(connection: sqlite3.Connection, run: str) -> Iterator[tuple[str, int]]:
    """Runs that a crash ended and that leave nothing open, each with the time of its last row."""
    for earlier in unended(connection, run):
        last = connection.execute(
            "SELECT at FROM entries WHERE run = ? ORDER BY seq DESC LIMIT 1", (earlier,)
        ).fetchone()
        if last is not None and not open_rows(connection, earlier):
            yield earlier, last[0]


def _bodies(connection: sqlite3.Connection, rows: Iterable[Row]) -> dict[bytes, bytes]:
    wanted = {digest for row in rows if not _deleted(row) for digest in row.digests}
    bodies: dict[bytes, bytes] = {}
    ordered = sorted(wanted)
    for start in range(0, len(ordered), 500):
        piece = ordered[start : start + 500]
        marks = ", ".join("?" * len(piece))
        for digest, body in connection.execute(
            f"SELECT digest, body FROM documents WHERE digest IN ({marks})", piece
        ):
            assert len(digest) == DIGEST
            bodies[digest] = body.encode()
    return bodies


class _Change(msgspec.Struct):
    type: str = ""


_change = msgspec.json.Decoder(_Change).decode


def _deleted(row: Row) -> bool:
    return row.kind == "observed" and _change(row.detail).type == "deleted"
