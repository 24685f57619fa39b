"""Where the proof of a log begins: at its first row, or behind what retention removed."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

import msgspec

from reactor.audit.broken import is_no_text
from reactor.audit.ledger import Cut
from reactor.audit.link import link
from reactor.audit.row import COLUMNS

_cut = msgspec.json.Decoder(Cut).decode


class Root(NamedTuple):
    """``cut`` is the newest one that accounts for what the log lacks at its beginning. Without
    one ``doubt`` says so; ``suspect`` is then the position from which on a broken row may be the
    one that told of it.
    """

    cut: Cut | None = None
    doubt: str = ""
    suspect: int | None = None


def root(connection: sqlite3.Connection) -> Root:
    """Look at the oldest row and at those of kind `purged`."""
    oldest = connection.execute(
        "SELECT position, CAST(run AS BLOB), CAST(seq AS BLOB) FROM entries"
        " ORDER BY position LIMIT 1"
    ).fetchone()
    if oldest is None:
        return Root()
    suspect = None
    for place, detail in connection.execute(
        "SELECT position, CAST(detail AS BLOB) FROM entries WHERE kind = 'purged'"
        " ORDER BY position DESC"
    ).fetchall():
        cut = _told(detail)
        if cut is None or not (_begins(connection, cut) or _vouched(connection, place)):
            suspect = place
        elif oldest[0] <= cut.position + 1:
            return Root(cut)
        else:
            break
    if oldest[0] <= 1:
        return Root()
    if suspect is None and connection.execute("SELECT max(cut) > 0 FROM runs").fetchone()[0]:
        suspect = 0
    if suspect == oldest[0]:
        suspect = None  # where nothing is proved it is the first row that is wrong
    run, seq = (value.decode(errors="replace") for value in oldest[1:])
    return Root(None, f"row {run}:{seq} is the first: the rows before it are missing", suspect)


def _told(detail: bytes) -> Cut | None:
    try:
        return _cut(detail)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _begins(connection: sqlite3.Connection, cut: Cut) -> bool:
    """Whether the row after the cut is chained to it."""
    after = cut.position + 1
    try:
        return _linked(connection, after, after, bytes.fromhex(cut.hash))
    except ValueError:
        return False


def _vouched(connection: sqlite3.Connection, position: int) -> bool:
    """Whether the links to the row and from it to the next one hold."""
    before = connection.execute(
        "SELECT hash FROM entries WHERE position = ?", (position - 1,)
    ).fetchone()
    return before is not None and _linked(connection, position, position + 1, before[0])


def _linked(connection: sqlite3.Connection, low: int, high: int, previous: bytes) -> bool:
    """Whether there are such rows, each chained to the one before it."""
    try:
        rows = connection.execute(
            f"SELECT {', '.join(COLUMNS)} FROM entries WHERE position BETWEEN ? AND ?"
            " ORDER BY position",
            (low, high),
        ).fetchall()
    except sqlite3.OperationalError as error:
        if is_no_text(error):
            return False
        raise
    for row in rows:
        if link(previous, row[:-1]) != row[-1]:
            return False
        previous = row[-1]
    return bool(rows)
