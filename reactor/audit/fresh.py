"""Rows of the log behind a place, which are the newest as a rule."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

from reactor.audit.entry import Entry
from reactor.audit.ledger import Ledger
from reactor.audit.row import COLUMNS, Row

_ROWS: Final = (
    f"SELECT {', '.join(COLUMNS)} FROM entries WHERE position > ? ORDER BY position LIMIT ?"
)


def behind(connection: sqlite3.Connection, position: int, most: int) -> list[Row]:
    """The oldest rows behind the position."""
    return [Row(*row) for row in connection.execute(_ROWS, (position, most))]


def written(connection: sqlite3.Connection, ledger: Ledger, entries: Sequence[Entry]) -> list[Row]:
    """Write the entries as `Ledger.write` does, and return their rows.

    They are durable then, so not to find them is no failure: whoever wants them can read again.
    """
    position = ledger.tail.position
    ledger.write(connection, entries)
    try:
        return behind(connection, position, len(entries))
    except sqlite3.Error:
        return []
