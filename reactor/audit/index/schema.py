"""The index's own file. Not under the chain: whatever is in it can be made again from the log."""

from __future__ import annotations

from pathlib import Path
from typing import Final

VERSION: Final = 5
"""Another one in the file, and it is made anew."""

PAGE: Final = 8192
"""Bytes of a page of the file: four packs in bits. What a term's are read from lies together only
within a page; but whatever comes newly writes some pages, however little it is.
"""

BLOCK: Final = 1024
"""Positions that share an entry of `blocks`."""

FIELDS: Final = ("kind", "namespace", "split", "service", "outcome", "actor")
"""Columns whose values are terms, as findings are."""

PACKS: Final = 1 << 32
"""What a term's id is multiplied by in `packs`: more than there are packs in a log."""

TABLES: Final = (
    # How far the log is indexed; run and seq tell whether it is still the same log. From the
    # position `packed` on terms are in `recent`, before it in `packs`.
    "CREATE TABLE progress (position INTEGER NOT NULL, run TEXT NOT NULL, seq INTEGER NOT NULL,"
    " packed INTEGER NOT NULL)",
    # From when to when the rows of a block are: a clock that was set back makes blocks overlap,
    # but no row is missed.
    "CREATE TABLE blocks (block INTEGER PRIMARY KEY, oldest INTEGER NOT NULL,"
    " newest INTEGER NOT NULL)",
    # `rows` only tells rare ones from others: it counts what retention removed, too.
    "CREATE TABLE terms (id INTEGER PRIMARY KEY, field TEXT NOT NULL, term TEXT NOT NULL,"
    " rows INTEGER NOT NULL, UNIQUE (field, term))",
    # What rows of the log look like: which of these they have, and whether they have words.
    # Few sorts of rows there are; what is asked of none of them needs no look at any row. There may
    # be more than the rows have by now, never fewer.
    "CREATE TABLE shapes (actor TEXT NOT NULL, kind TEXT NOT NULL, outcome TEXT NOT NULL,"
    " namespace INTEGER NOT NULL, split INTEGER NOT NULL, service INTEGER NOT NULL,"
    " text INTEGER NOT NULL, PRIMARY KEY (actor, kind, outcome, namespace, split, service, text))"
    " WITHOUT ROWID",
    # By term, then by pack: see PACKS. What is in `rows`: see `packs`.
    "CREATE TABLE packs (id INTEGER PRIMARY KEY, rows BLOB NOT NULL)",
    "CREATE TABLE recent (position INTEGER PRIMARY KEY,"
    f" {', '.join(f'{field} TEXT' for field in FIELDS)})",
    "CREATE TABLE recent_findings (finding TEXT NOT NULL, position INTEGER NOT NULL,"
    " PRIMARY KEY (finding, position)) WITHOUT ROWID",
    # `terms` are those of the row as words: see `words.token`.
    "CREATE TABLE texts (position INTEGER PRIMARY KEY, text TEXT NOT NULL, terms TEXT NOT NULL)",
    "CREATE VIRTUAL TABLE messages USING fts5"
    "(text, terms, content='texts', content_rowid='position', tokenize='ascii')",
)


def beside(log: Path) -> Path:
    """Where the index of a log is."""
    return log.with_name(f"{log.name}-index")
