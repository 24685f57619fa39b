"""Between which positions the rows of a time lie, by the search index."""

from __future__ import annotations

import sqlite3

from reactor.audit.index.schema import BLOCK
from reactor.audit.query.filters import Filters


def between(
    connection: sqlite3.Connection, filters: Filters, indexed: int, newest: int
) -> tuple[int, int]:
    """From the first block with a row late enough to the last with one early enough."""
    (first,) = connection.execute(
        "SELECT min(block) FROM side.blocks WHERE newest >= ?", (filters.since or 0,)
    ).fetchone()
    (last,) = connection.execute(
        "SELECT max(block) FROM side.blocks WHERE oldest < ?",
        ((1 << 62) if filters.until is None else filters.until,),
    ).fetchone()
    low, high = indexed + 1, newest
    if first is not None:
        low = first * BLOCK
        if filters.since is not None:
            low = _edge(connection, first, "min", ">=", filters.since) or low
    # What isn't indexed yet may be from any time.
    if newest <= indexed and last is not None:
        high = last * BLOCK + BLOCK - 1
        if filters.until is not None:
            high = _edge(connection, last, "max", "<", filters.until) or high
    return low, high


def _edge(connection: sqlite3.Connection, block: int, end: str, before: str, at: int) -> int | None:
    """The first or last position of a block on one side of a moment; None when the clock jumped
    there, so that the index of times has too much between the block's own.
    """
    count, position = connection.execute(
        f"SELECT count(*), {end}(CASE WHEN position / {BLOCK} = ?1 AND at {before} ?2"
        " THEN position END) FROM (SELECT position, at FROM side.blocks AS b"
        " CROSS JOIN entries AS e INDEXED BY entries_at ON e.at BETWEEN b.oldest AND b.newest"
        f" WHERE b.block = ?1 LIMIT {2 * BLOCK})",
        (block, at),
    ).fetchone()
    return position if count < 2 * BLOCK else None
