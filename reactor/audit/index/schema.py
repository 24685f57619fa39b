"""The index's own file. Not under the chain: whatever is in it can be made again from the log."""

from __future__ import annotations

from pathlib import Path
from typing import Final

VERSION: Final = 1
"""Another one in the file, and it is made anew."""

BLOCK: Final = 1024
"""Positions that share an entry of `blocks`."""

TABLES: Final = (
    # How far the log is indexed; run and seq tell whether it is still the same log.
    "CREATE TABLE progress (position INTEGER NOT NULL, run TEXT NOT NULL, seq INTEGER NOT NULL)",
    # From when to when the rows of a block are: a clock that was set back makes blocks overlap,
    # but no row is missed.
    "CREATE TABLE blocks (block INTEGER PRIMARY KEY, oldest INTEGER NOT NULL,"
    " newest INTEGER NOT NULL)",
    "CREATE TABLE terms (field TEXT NOT NULL, term TEXT NOT NULL, position INTEGER NOT NULL,"
    " PRIMARY KEY (field, term, position)) WITHOUT ROWID",
    "CREATE TABLE texts (position INTEGER PRIMARY KEY, text TEXT NOT NULL)",
    "CREATE VIRTUAL TABLE messages USING fts5"
    "(text, content='texts', content_rowid='position', tokenize='ascii')",
)


def beside(log: Path) -> Path:
    """Where the index of a log is."""
    return log.with_name(f"{log.name}-index")
