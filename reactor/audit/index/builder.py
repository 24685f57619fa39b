"""Brings the index up to the log, a few milliseconds at a time. Blocking; see `indexer`."""

from __future__ import annotations

import sqlite3
from itertools import chain
from typing import Final

from reactor.audit.index.schema import BLOCK, TABLES, VERSION
from reactor.audit.index.words import said

ROWS: Final = 500
"""Rows of the log in one step."""

Found = tuple[int, str, int, int, str, str | None, str]


def attach(index: sqlite3.Connection, log: str) -> None:
    """The log as ``log``, to read only."""
    index.execute("ATTACH DATABASE ? AS log", (log,))


def prepare(index: sqlite3.Connection) -> None:
    """The tables, made anew if they are of another version."""
    (version,) = index.execute("PRAGMA user_version").fetchone()
    if version == VERSION:
        return
    index.execute("BEGIN IMMEDIATE")
    with index:
        _clear(index)
        for statement in TABLES:
            index.execute(statement)
        index.execute("INSERT INTO progress VALUES (0, '', 0)")
        index.execute(f"PRAGMA user_version = {VERSION}")


def step(index: sqlite3.Connection) -> bool:
    """Index the next rows of the attached ``log``; whether there are more."""
    position = _position(index)
    rows: list[Found] = index.execute(
        "SELECT position, run, seq, at, kind, actor, detail FROM log.entries"
        " WHERE position > ? ORDER BY position LIMIT ?",
        (position, ROWS),
    ).fetchall()
    if rows:
        index.execute("BEGIN IMMEDIATE")
        with index:
            _add(index, rows)
            index.execute("UPDATE progress SET position = ?, run = ?, seq = ?", rows[-1][:3])
    purged = _purge(index)
    return purged or len(rows) == ROWS


def _position(index: sqlite3.Connection) -> int:
    """How far it got; from the beginning when the log is another one than it was."""
    position, run, seq = index.execute("SELECT position, run, seq FROM progress").fetchone()
    if position == 0:
        return 0
    found = index.execute(
        "SELECT run, seq FROM log.entries WHERE position = ?", (position,)
    ).fetchone()
    if found == (run, seq):
        return int(position)
    index.execute("BEGIN IMMEDIATE")
    with index:
        for table in ("blocks", "terms", "texts"):
            index.execute(f"DELETE FROM {table}")
        index.execute("INSERT INTO messages (messages) VALUES ('rebuild')")
        index.execute("UPDATE progress SET position = 0, run = '', seq = 0")
    return 0


def _add(index: sqlite3.Connection, rows: list[Found]) -> None:
    blocks: dict[int, tuple[int, int]] = {}
    terms: list[tuple[str, str, int]] = []
    texts: list[tuple[int, str]] = []
    for position, _, _, at, kind, actor, detail in rows:
        oldest, newest = blocks.get(position // BLOCK, (at, at))
        blocks[position // BLOCK] = min(oldest, at), max(newest, at)
        if actor is not None:
            terms.append(("actor", actor, position))
        found = said(kind, detail)
        terms += [("finding", finding, position) for finding in found.findings]
        if found.text:
            texts.append((position, found.text))
    index.executemany(
        "INSERT INTO blocks VALUES (?, ?, ?) ON CONFLICT (block) DO UPDATE SET"
        " oldest = min(oldest, excluded.oldest), newest = max(newest, excluded.newest)",
        [(block, *span) for block, span in blocks.items()],
    )
    index.executemany("INSERT INTO terms VALUES (?, ?, ?)", sorted(terms))
    index.executemany("INSERT INTO texts VALUES (?, ?)", texts)
    index.executemany("INSERT INTO messages (rowid, text) VALUES (?, ?)", texts)


def _purge(index: sqlite3.Connection) -> bool:
    """Drop some of what retention removed from the log; whether there may be more."""
    (oldest,) = index.execute("SELECT min(position) FROM log.entries").fetchone()
    (first,) = index.execute("SELECT min(block) FROM blocks").fetchone()
    if oldest is None or first is None or first >= oldest // BLOCK:
        return False
    # Whole blocks of the log, oldest first.
    before = (first + 1) * BLOCK
    gone = index.execute(
        "SELECT position, text FROM texts WHERE position < ?", (before,)
    ).fetchall()
    index.execute("BEGIN IMMEDIATE")
    with index:
        index.executemany(
            "INSERT INTO messages (messages, rowid, text) VALUES ('delete', ?, ?)", gone
        )
        index.execute("DELETE FROM texts WHERE position < ?", (before,))
        for field, term in index.execute(_DISTINCT).fetchall():
            index.execute(
                "DELETE FROM terms WHERE field = ? AND term = ? AND position < ?",
                (field, term, before),
            )
        index.execute("DELETE FROM blocks WHERE block = ?", (first,))
    return True


# From one term straight to the next, however many rows have it.
_DISTINCT: Final = """
WITH RECURSIVE seen (field, term) AS (
    SELECT * FROM (SELECT field, term FROM terms ORDER BY field, term LIMIT 1)
    UNION ALL
    SELECT (SELECT t.field FROM terms AS t WHERE (t.field, t.term) > (seen.field, seen.term)
            ORDER BY t.field, t.term LIMIT 1),
           (SELECT t.term FROM terms AS t WHERE (t.field, t.term) > (seen.field, seen.term)
            ORDER BY t.field, t.term LIMIT 1)
    FROM seen WHERE seen.field IS NOT NULL
)
SELECT field, term FROM seen WHERE field IS NOT NULL
"""


def _clear(index: sqlite3.Connection) -> None:
    found = index.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        " AND name NOT LIKE 'messages\\_%' ESCAPE '\\'"
    ).fetchall()
    for name in chain.from_iterable(found):
        index.execute(f'DROP TABLE "{name}"')
