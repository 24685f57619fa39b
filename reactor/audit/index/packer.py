"""Packs the terms of a stretch of rows once it is whole."""

from __future__ import annotations

import sqlite3
from typing import Final

import msgspec

from reactor.audit.index.packs import PACK, packed
from reactor.audit.index.schema import FIELDS, PACKS

# One row for all of them: see the builder.
_RECENT: Final = " UNION ALL ".join(
    [
        f"SELECT '{field}' AS field, {field} AS term, json_group_array(position - ?1) AS offsets"
        f" FROM recent WHERE position < ?2 AND {field} IS NOT NULL GROUP BY {field}"
        for field in FIELDS
    ]
    + [
        "SELECT 'finding', finding, json_group_array(position - ?1)"
        " FROM recent_findings WHERE position < ?2 GROUP BY finding"
    ]
)
_READ: Final = f"SELECT json_group_array(json_array(field, term, json(offsets))) FROM ({_RECENT})"
_decode = msgspec.json.Decoder(list[tuple[str, str, list[int]]]).decode


def pack(index: sqlite3.Connection) -> bool:
    """Move the oldest stretch of `recent` to `packs` if it is whole; whether it was."""
    position, begin = index.execute("SELECT position, packed FROM progress").fetchone()
    number = begin // PACK
    if position < (end := (number + 1) * PACK) - 1:
        return False
    (text,) = index.execute(_READ, (number * PACK, end)).fetchone()
    terms: list[tuple[str, str, int, int, int]] = []
    body = bytearray()
    for field, term, offsets in _decode(text):
        rows = packed(sorted(offsets))
        terms.append((field, term, len(offsets), len(body) + 1, len(rows)))
        body += rows
    given = msgspec.json.encode(terms).decode()
    index.execute("BEGIN IMMEDIATE")
    with index:
        # First, so that what follows finds room in the file.
        index.execute("DELETE FROM recent WHERE position < ?", (end,))
        index.execute("DELETE FROM recent_findings WHERE position < ?", (end,))
        index.execute(
            "INSERT INTO terms (field, term, rows)"
            " SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?)"
            " WHERE true ON CONFLICT (field, term) DO UPDATE SET rows = rows + excluded.rows",
            (given,),
        )
        index.execute(
            f"INSERT INTO packs SELECT terms.id * {PACKS} + ?1,"
            " substr(?2, value ->> 3, value ->> 4) FROM json_each(?3) CROSS JOIN terms"
            # In the order of the table, so that each page of it is written once.
            " ON terms.field = value ->> 0 AND terms.term = value ->> 1 ORDER BY terms.id",
            (number, bytes(body), given),
        )
        index.execute("UPDATE progress SET packed = ?", (end,))
    return True


def unpack(index: sqlite3.Connection, before: int) -> None:
    """Forget the rows below a position, block by block, inside a transaction."""
    index.execute("DELETE FROM recent WHERE position < ?", (before,))
    index.execute("DELETE FROM recent_findings WHERE position < ?", (before,))
    if before % PACK:
        return
    index.execute(
        f"DELETE FROM packs WHERE id IN (SELECT id * {PACKS} + ? FROM terms)", (before // PACK - 1,)
    )
    index.execute(
        "DELETE FROM terms WHERE NOT EXISTS (SELECT 1 FROM packs"
        f" WHERE packs.id BETWEEN terms.id * {PACKS} AND (terms.id + 1) * {PACKS} - 1)"
    )
    # Of all that shapes have, only actors are as many as people make of them.
    index.execute(
        "DELETE FROM shapes WHERE actor <> ''"
        " AND NOT EXISTS (SELECT 1 FROM terms WHERE field = 'actor' AND term = shapes.actor)"
        " AND actor NOT IN (SELECT actor FROM recent WHERE actor IS NOT NULL)"
    )
