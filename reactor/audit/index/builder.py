"""Brings the index up to the log, a few milliseconds at a time. Blocking; see `indexer`."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from itertools import chain
from typing import Final

import msgspec

from reactor.audit.index.packer import pack, unpack
from reactor.audit.index.packs import PACK
from reactor.audit.index.schema import BLOCK, FIELDS, PAGE, TABLES, VERSION
from reactor.audit.index.words import Detail, said, token, understood

ROWS: Final = 250
"""Rows of the log in one step."""


class _Row(msgspec.Struct, frozen=True, array_like=True):
    position: int
    run: str
    seq: int
    at: int
    detail: msgspec.Raw


class _Decoded(_Row, frozen=True, array_like=True):
    detail: Detail  # type: ignore[assignment]  # the same, looked into


# One row for all of them, and one statement to insert them: SQLite's driver gives up the
# interpreter for each, and under load every such handover may cost the event loop 5 ms.
_READ: Final = """
SELECT json_group_array(json_array(position, run, seq, at,
                                   json(CASE WHEN json_valid(detail) THEN detail ELSE '{}' END)))
FROM (SELECT * FROM log.entries WHERE position > ? ORDER BY position LIMIT ?)
"""
_COLUMNS: Final = (
    f"SELECT json_group_array(json_array(position, {', '.join(FIELDS)})) FROM recent"
    " WHERE position IN (SELECT value FROM json_each(?))"
)
_SHAPES: Final = """
INSERT OR IGNORE INTO shapes
SELECT DISTINCT ifnull(actor, ''), kind, ifnull(outcome, ''), namespace IS NOT NULL,
    split IS NOT NULL, service IS NOT NULL,
    EXISTS (SELECT 1 FROM texts WHERE texts.position = recent.position)
FROM recent WHERE position BETWEEN ? AND ?
"""
_rows = msgspec.json.Decoder(list[_Row]).decode
_decoded = msgspec.json.Decoder(list[_Decoded]).decode


def attach(index: sqlite3.Connection, log: str) -> None:
    """The log as ``log``, to read only; from end to end, so that hardly a page is read twice."""
    index.execute("ATTACH DATABASE ? AS log", (log,))
    index.execute("PRAGMA log.cache_size = -256")


def prepare(index: sqlite3.Connection) -> None:
    """The tables, made anew if they are of another version."""
    (version,) = index.execute("PRAGMA user_version").fetchone()
    if version == VERSION:
        return
    index.execute("BEGIN IMMEDIATE")
    with index:
        _clear(index)
    if index.execute("PRAGMA main.page_size").fetchone() != (PAGE,):
        _resize(index)
    index.execute("BEGIN IMMEDIATE")
    with index:
        for statement in TABLES:
            index.execute(statement)
        index.execute("INSERT INTO progress VALUES (0, '', 0, 0)")
        index.execute(f"PRAGMA user_version = {VERSION}")


def step(index: sqlite3.Connection) -> bool:
    """Index the next rows of the attached ``log``; whether there are more."""
    position = _position(index)
    if pack(index):
        return True
    (text,) = index.execute(_READ, (position, ROWS)).fetchone()
    count = 0
    if text != "[]":
        index.execute("BEGIN IMMEDIATE")
        with index:
            count = _add(index, text)
    purged = _purge(index)
    return purged or count == ROWS


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
        for table in _DERIVED:
            index.execute(f"DELETE FROM {table}")
        index.execute("INSERT INTO messages (messages) VALUES ('rebuild')")
        index.execute("UPDATE progress SET position = 0, run = '', seq = 0, packed = 0")
    return 0


def _add(index: sqlite3.Connection, text: str) -> int:
    """Index rows; how many."""
    rows: Sequence[_Row]
    try:
        decoded = _decoded(text)
        rows, saying = decoded, [understood(row.detail) for row in decoded]
    except msgspec.ValidationError:  # one of them is of a form that we don't know
        rows = _rows(text)
        saying = [said(row.detail) for row in rows]
    blocks: dict[int, tuple[int, int]] = {}
    findings: list[tuple[str, int]] = []
    texts: list[tuple[int, str]] = []
    for row, found in zip(rows, saying, strict=True):
        block = row.position // BLOCK
        oldest, newest = blocks.get(block, (row.at, row.at))
        blocks[block] = min(oldest, row.at), max(newest, row.at)
        findings += [(finding, row.position) for finding in found.findings]
        if found.text:
            texts.append((row.position, found.text))
    _insert(
        index,
        "blocks",
        [(block, *span) for block, span in blocks.items()],
        "WHERE true ON CONFLICT (block) DO UPDATE SET oldest = min(oldest, excluded.oldest),"
        " newest = max(newest, excluded.newest)",
    )
    last = rows[-1]
    index.execute(
        f"INSERT INTO recent SELECT position, {', '.join(FIELDS)} FROM log.entries"
        " WHERE position BETWEEN ? AND ? ORDER BY position",
        (rows[0].position, last.position),
    )
    _insert(index, "recent_findings", findings)
    said_of = _termed(index, texts, findings)
    _insert(index, "texts", said_of)
    _insert(index, "messages (rowid, text, terms)", said_of)
    index.execute(_SHAPES, (rows[0].position, last.position))
    index.execute(
        # Before its first row there is nothing to pack, however long the log was.
        "UPDATE progress SET packed = CASE position WHEN 0 THEN ? ELSE packed END,"
        " position = ?, run = ?, seq = ?",
        (rows[0].position // PACK * PACK, last.position, last.run, last.seq),
    )
    return len(rows)


def _termed(
    index: sqlite3.Connection, texts: Sequence[tuple[int, str]], findings: Sequence[tuple[str, int]]
) -> list[tuple[int, str, str]]:
    """What rows say, with their terms."""
    if not texts:
        return []
    terms: dict[int, list[str]] = defaultdict(list)
    for finding, position in findings:
        terms[position].append(token("finding", finding))
    (found,) = index.execute(
        _COLUMNS, (msgspec.json.encode([position for position, _ in texts]).decode(),)
    ).fetchone()
    for position, *values in msgspec.json.decode(found):
        terms[position] += [
            token(field, value)
            for field, value in zip(FIELDS, values, strict=True)
            if value is not None
        ]
    return [(position, text, " ".join(terms[position])) for position, text in texts]


def _insert(
    index: sqlite3.Connection, into: str, rows: Sequence[Sequence[object]], also: str = ""
) -> None:
    if rows:
        values = ", ".join(f"value ->> {number}" for number in range(len(rows[0])))
        index.execute(
            f"INSERT INTO {into} SELECT {values} FROM json_each(?) {also}",
            (msgspec.json.encode(rows).decode(),),
        )


def _purge(index: sqlite3.Connection) -> bool:
    """Drop some of what retention removed from the log; whether there may be more."""
    (oldest,) = index.execute("SELECT min(position) FROM log.entries").fetchone()
    (first,) = index.execute("SELECT min(block) FROM blocks").fetchone()
    if oldest is None or first is None or first >= oldest // BLOCK:
        return False
    # Whole blocks of the log, oldest first.
    before = (first + 1) * BLOCK
    gone = index.execute(
        "SELECT position, text, terms FROM texts WHERE position < ?", (before,)
    ).fetchall()
    index.execute("BEGIN IMMEDIATE")
    with index:
        _insert(
            index, "messages (messages, rowid, text, terms)", [("delete", *row) for row in gone]
        )
        index.execute("DELETE FROM texts WHERE position < ?", (before,))
        unpack(index, before)
        index.execute("DELETE FROM blocks WHERE block = ?", (first,))
    return True


_DERIVED: Final = (
    *("blocks", "terms", "shapes", "packs"),
    *("recent", "recent_findings", "texts"),
)


def _clear(index: sqlite3.Connection) -> None:
    found = index.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        " AND name NOT LIKE 'messages\\_%' ESCAPE '\\'"
    ).fetchall()
    for name in chain.from_iterable(found):
        index.execute(f'DROP TABLE "{name}"')


def _resize(index: sqlite3.Connection) -> None:
    """Pages of another size, of an empty file that nobody else has open; else sqlite3.Error."""
    index.execute("PRAGMA main.journal_mode=DELETE")
    index.execute(f"PRAGMA main.page_size={PAGE}")
    index.execute("VACUUM main")
    index.execute("PRAGMA main.journal_mode=WAL")
