"""What SQLite makes of the statements that a question to the log becomes."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Final

from reactor.audit import engine
from reactor.audit.engine import Connection
from reactor.audit.index.schema import BLOCK, beside
from reactor.audit.query import Filters, Reader
from reactor.audit.query.sqlite import SqliteStore

_SMALL: Final = (
    "json_each",
    "sqlite_master",
    "pragma_index_info",
    "spaces",
    "runs",
    "progress",
    "blocks",
    "shapes",
    "messages_config",
)
"""What may be read from end to end: lists of the question's own, and tables that have one row
for a thousand of the log's, or fewer.
"""


class Traced(Reader):
    """Keeps the statements it made, with their values."""

    def __init__(self, *, path: Path) -> None:
        super().__init__(url=str(path))
        self.statements: set[str] = set()

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[tuple[Connection, SqliteStore]]:
        async with super()._opened() as (connection, store):

            def trace(driver: sqlite3.Connection) -> None:
                driver.set_trace_callback(self.statements.add)

            await connection.run(trace)
            yield connection, store


def bad(path: Path, statements: Iterable[str]) -> list[str]:
    """Statements that read a big table from end to end, or sort what an index should have in
    order, each with the step of its plan.
    """
    found: list[str] = []
    with closing(sqlite3.connect(engine.uri(path, "ro"), uri=True)) as connection:
        connection.execute("ATTACH DATABASE ? AS side", (engine.uri(beside(path), "ro"),))
        for sql in statements:
            if not sql.startswith(("SELECT", "\nWITH", "WITH")):
                continue
            plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")]
            found += [f"{step}: {sql}" for step in plan if _bad(step, sql)]
    return found


def _bad(step: str, sql: str) -> bool:
    if step.startswith("SCAN "):
        words = step.split()
        # A virtual table tells what it is searched by: M is MATCH. What a subquery reads is told in
        # steps of its own.
        return (
            words[1].rpartition(".")[2] not in _SMALL
            and "CONSTANT ROW" not in step
            and "(subquery" not in step
            and ":M" not in step
        )
    # Only rows that are known by their positions are sorted.
    return "TEMP B-TREE" in step and "json_each" not in sql


async def unbounded(path: Path, filters: Filters) -> str:
    """What is wrong with the positions that since and until become, or nothing."""
    filters = Filters(since=filters.since, until=filters.until)
    span = await Reader(url=str(path)).span(filters)
    with closing(sqlite3.connect(engine.uri(path, "ro"), uri=True)) as connection:
        for sign, value, side in ((">=", filters.since, 1), ("<", filters.until, -1)):
            if value is None:
                continue
            ((edge,),) = connection.execute(
                f"SELECT position FROM entries INDEXED BY entries_at WHERE at {sign} ?"
                f" ORDER BY at {'ASC' if side > 0 else 'DESC'} LIMIT 1",
                (value,),
            ).fetchall() or ((None,),)
            if edge is None or not span:
                continue
            bound = span.low if side > 0 else span.high
            if not 0 <= (edge - bound) * side <= BLOCK:
                return f"{filters}: rows from {edge} on, but looked at from {bound} on"
    return ""
