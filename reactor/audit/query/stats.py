"""How much the log holds, from when, and what is missing in it."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

import msgspec

from reactor.audit.buffer import GapDetail
from reactor.audit.index.schema import beside
from reactor.audit.query.archived import Archived, Lag

GAPS: Final = 100
"""Gaps that are told one by one: the newest."""


class Hole(msgspec.Struct, frozen=True):
    """Rows that could not be kept: how many, from when to when (microseconds UTC), and why. The
    entry ``run``, ``seq`` tells of it.
    """

    run: str
    seq: int
    rows: int
    first: int
    last: int
    reason: str


class Stats(msgspec.Struct, frozen=True):
    """``bytes`` on disk with what isn't merged yet, ``index_bytes`` of the search index, which
    knows all but the newest ``unindexed`` rows. Times are microseconds UTC, None without rows.

    ``archive`` is None where there is none, or while it can't be asked; ``lag`` where there is
    none, or nobody asked who copies to it.
    """

    rows: int
    bytes: int
    index_bytes: int
    unindexed: int
    runs: int
    oldest: int | None
    newest: int | None
    holes: tuple[Hole, ...]
    """The newest ones first."""
    archive: Archived | None = None
    lag: Lag | None = None


def stats(connection: sqlite3.Connection, path: Path, indexed: int) -> Stats:
    """Count; each number comes from the end of an index."""
    low, high = connection.execute(
        "SELECT (SELECT min(position) FROM entries), (SELECT max(position) FROM entries)"
    ).fetchone()
    oldest, newest = (None if at is None else _at(connection, at) for at in (low, high))
    (runs,) = connection.execute("SELECT count(*) FROM runs").fetchone()
    return Stats(
        rows=0 if low is None else high - low + 1,
        bytes=_size(path),
        index_bytes=_size(beside(path)),
        unindexed=0 if high is None else high - max(indexed, low - 1),
        runs=runs,
        oldest=oldest,
        newest=newest,
        holes=_holes(connection),
    )


def _at(connection: sqlite3.Connection, position: int) -> int:
    (at,) = connection.execute("SELECT at FROM entries WHERE position = ?", (position,)).fetchone()
    return int(at)


def _holes(connection: sqlite3.Connection) -> tuple[Hole, ...]:
    found = []
    for run, seq, detail in connection.execute(
        # By the index that has gaps and nothing else.
        "SELECT run, seq, detail FROM entries WHERE kind = 'gap' ORDER BY position DESC LIMIT ?",
        (GAPS,),
    ):
        gap = msgspec.json.decode(detail, type=GapDetail)
        found.append(Hole(run, seq, gap.rows, gap.first, gap.last, gap.reason))
    return tuple(found)


def _size(path: Path) -> int:
    total = 0
    for suffix in ("", "-wal"):
        try:
            total += path.with_name(path.name + suffix).stat().st_size
        except FileNotFoundError:
            continue
    return total
