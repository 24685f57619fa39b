"""Places of the local log in the archive's order, and the other way round. Blocking."""

from __future__ import annotations

import sqlite3

from reactor.audit.query.cursor import Cursor
from reactor.audit.query.position import LOWEST, pack, unpack


def translated(connection: sqlite3.Connection, cursor: Cursor) -> Cursor:
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


def place(connection: sqlite3.Connection, position: int) -> int:
    """A position of the log in the archive's order."""
    found = connection.execute(
        "SELECT at, run, seq FROM entries WHERE position <= ? ORDER BY position DESC LIMIT 1",
        (min(position, (1 << 63) - 1),),  # a cursor may say anything
    ).fetchone()
    return LOWEST if found is None else pack(*found)
