"""The local log as the shipper reads it. Blocking; called on the connection's own thread."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Container, Iterator
from typing import Any, Final, NamedTuple

import msgspec

from reactor.audit.archive.months import Month, months
from reactor.audit.archive.terms import told
from reactor.audit.retention import last_cut
from reactor.audit.row import DIGEST

ROWS: Final = 512
"""Rows in one batch, and"""
SIZE: Final = 2 << 20
"""bytes of details and documents in it, about."""
Values = tuple[Any, ...]


class Place(NamedTuple):
    """A row's place, in the log and in its run."""

    position: int
    run: str
    seq: int


class Held(NamedTuple):
    """The newest seq of each run in the local log, oldest first; the run that was cut last."""

    runs: dict[str, int]
    cut: str | None


class Batch(NamedTuple):
    """Rows that follow one another, with all that goes with them; values in the tables' order,
    the terms of a row joined by line breaks.

    Once they are written, the documents that are ``known`` need not be sent again.
    """

    runs: tuple[Values, ...]
    entries: tuple[Values, ...]
    documents: tuple[tuple[bytes, int, str], ...]
    terms: tuple[Values, ...]
    known: frozenset[tuple[bytes, Month]]
    months: frozenset[Month]
    last: Place


class State(NamedTuple):
    """The log's oldest and newest position, and when the row behind a place was written."""

    oldest: int
    newest: int
    waiting_since: int | None


_RUNS: Final = """
SELECT id, started, ended, version, host, settings, cluster_domain FROM runs
WHERE ?1 OR id IN (SELECT value FROM json_each(?2))
"""
# One value for all rows: the driver gives up the interpreter for each row that it fetches, and
# under load every such handover may cost the event loop 5 ms.
_ROWS: Final = f"""
SELECT json_group_array(json_array(
    position, run, seq, at, kind, namespace, split, service, outcome, actor, reconcile,
    resource_version, detail, hex(documents), hex(hash)))
FROM (SELECT * FROM entries WHERE position > ?1 AND position <= (
    SELECT max(position)
    FROM (SELECT position, sum(size) OVER (ORDER BY position ROWS UNBOUNDED PRECEDING) AS size
          FROM (SELECT position, length(detail) AS size FROM entries WHERE position > ?1
                ORDER BY position LIMIT {ROWS}))
    WHERE size <= {SIZE} OR position = ?1 + 1) ORDER BY position)
"""
_DOCUMENT: Final = """
SELECT json_group_array(json_array(hex(digest), {value})) FROM documents WHERE digest IN ({marks})
"""
_rows = msgspec.json.Decoder(list[tuple[Any, ...]]).decode
_told = msgspec.json.Decoder(list[tuple[str, Any]]).decode
_AT, _KIND, _NAMESPACE, _OUTCOME, _DETAIL, _DOCUMENTS, _HASH = 3, 4, 5, 8, 12, 13, 14


def held(connection: sqlite3.Connection) -> Held:
    """Read it."""
    runs = connection.execute(
        "SELECT id, (SELECT max(seq) FROM entries WHERE run = runs.id) FROM runs ORDER BY id"
    ).fetchall()
    cut = last_cut(connection)
    return Held(
        {run: newest for run, newest in runs if newest is not None},
        None if cut is None else cut.run,
    )


def before(connection: sqlite3.Connection, run: str, seq: int) -> Place:
    """The row before the run's first one above ``seq``; one that is gone has a position alone.

    Behind the newest one when the run has none.
    """
    found = connection.execute(
        "SELECT position FROM entries WHERE run = ? AND seq > ? ORDER BY seq LIMIT 1", (run, seq)
    ).fetchone()
    end = (1 << 62) if found is None else found[0] - 1
    last = connection.execute(
        "SELECT position, run, seq FROM entries WHERE position <= ? ORDER BY position DESC LIMIT 1",
        (end,),
    ).fetchone()
    if last is None or (found is not None and last[0] != end):
        return Place(0 if found is None else end, "", 0)
    return Place(*last)


def state(connection: sqlite3.Connection, position: int) -> State:
    """How the log is, seen from a position."""
    oldest, newest = connection.execute(
        "SELECT (SELECT min(position) FROM entries), (SELECT max(position) FROM entries)"
    ).fetchone()
    waiting = connection.execute(
        "SELECT at FROM entries WHERE position > ? ORDER BY position LIMIT 1", (position,)
    ).fetchone()
    return State(oldest or 0, newest or 0, None if waiting is None else waiting[0])


def batch(
    connection: sqlite3.Connection, after: Place, known: Container[tuple[bytes, Month]]
) -> Batch | None:
    """The next rows, without documents that are ``known``; None when there are none.

    Raises LookupError when the log isn't the one that ``after`` is of, or lacks rows behind it.
    """
    connection.execute("BEGIN")
    try:
        return _batch(connection, after, known)
    finally:
        connection.execute("ROLLBACK")


def _batch(
    connection: sqlite3.Connection, after: Place, known: Container[tuple[bytes, Month]]
) -> Batch | None:
    found = connection.execute(
        "SELECT run, seq FROM entries WHERE position = ?", (after.position,)
    ).fetchone()
    if found is not None and found != after[1:]:
        raise LookupError
    rows = [
        (*row[:_DOCUMENTS], bytes.fromhex(row[_DOCUMENTS]), bytes.fromhex(row[_HASH]))
        for row in _rows(connection.execute(_ROWS, (after.position,)).fetchone()[0])
    ]
    if not rows:
        if found is None and after.position:
            raise LookupError
        return None
    if rows[0][0] != after.position + 1:
        raise LookupError
    rows, wanted = _affordable(connection, rows, known)
    texts = _documents(connection, "body", {digest for digest, _ in wanted})
    begins = {month: month.begin for _, month in wanted}
    documents = [
        (digest, begins[month], texts[digest]) for digest, month in wanted if digest in texts
    ]
    ids = list({row[1] for row in rows})
    # A run that begins may have ended those before it.
    all_runs = any(row[_KIND] == "started" for row in rows)
    runs = connection.execute(_RUNS, (all_runs, json.dumps(ids))).fetchall()
    return Batch(
        runs=tuple(runs),
        entries=tuple(rows),
        documents=tuple(sorted(documents)),
        terms=tuple(_terms(rows)),
        known=frozenset(wanted),
        months=frozenset(months(row[_AT] for row in rows)),
        last=Place(*rows[-1][:3]),
    )


def _affordable(
    connection: sqlite3.Connection,
    rows: list[Values],
    known: Container[tuple[bytes, Month]],
) -> tuple[list[Values], list[tuple[bytes, Month]]]:
    """As many rows as have documents that fit, at least one, and the documents to send."""
    needed: list[list[tuple[bytes, Month]]] = []
    for row, month in zip(rows, months(row[_AT] for row in rows), strict=True):
        joined = row[_DOCUMENTS]
        digests = [joined[at : at + DIGEST] for at in range(0, len(joined), DIGEST)]
        needed.append([key for digest in digests if (key := (digest, month)) not in known])
    wanted = dict.fromkeys(key for some in needed for key in some)
    lengths = _documents(connection, "length(body)", {digest for digest, _ in wanted})
    if sum(lengths.get(digest, 0) for digest, _ in wanted) <= SIZE:
        return rows, list(wanted)
    wanted.clear()
    size = 0
    for count, some in enumerate(needed):
        fresh = [key for key in dict.fromkeys(some) if key not in wanted]
        size += sum(lengths.get(digest, 0) for digest, _ in fresh)
        if count and size > SIZE:
            return rows[:count], list(wanted)
        wanted.update(dict.fromkeys(fresh))
    return rows, list(wanted)


def _documents(connection: sqlite3.Connection, value: str, digests: set[bytes]) -> dict[bytes, Any]:
    found: dict[bytes, Any] = {}
    ordered = sorted(digests)
    for start in range(0, len(ordered), ROWS):
        piece = ordered[start : start + ROWS]
        sql = _DOCUMENT.format(value=value, marks=", ".join("?" * len(piece)))
        (text,) = connection.execute(sql, piece).fetchone()
        found |= {bytes.fromhex(digest): told for digest, told in _told(text)}
    return found


def _terms(rows: list[Values]) -> Iterator[Values]:
    """The driver takes its time for each value: a row's terms are one, as are their places."""
    for row in rows:
        if (found := told(row[_DETAIL])) is not None:
            fields, terms, places = zip(*found.terms, strict=True)
            yield (
                *(" ".join(fields), "\n".join(terms), " ".join(map(str, places))),
                *(row[_AT], row[1], row[2], row[_NAMESPACE], row[_KIND], row[_OUTCOME]),
                found.findings,
            )
