"""What PostgreSQL makes of the statements that a question to the archive becomes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec

from reactor.audit.archive import database
from reactor.audit.archive.reader import ArchiveReader

Plan = Mapping[str, Any]

_WHOLE: Final = {"Seq Scan", "Bitmap Heap Scan"}
_SORTS: Final = {"Sort", "Incremental Sort"}
_BIG: Final = ("entries", "documents", "terms")


class Explaining:
    """A connection that keeps the plan of all it is asked."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.plans: list[tuple[str, Plan]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    async def fetch(self, sql: str, *values: Any) -> Any:
        told = await self._connection.fetchval(f"EXPLAIN (FORMAT JSON) {sql}", *values)
        self.plans.append((sql, msgspec.json.decode(told)[0]["Plan"]))
        return await self._connection.fetch(sql, *values)

    async def fetchrow(self, sql: str, *values: Any) -> Any:
        found = await self.fetch(sql, *values)
        return found[0] if found else None


class ExplainingReader(ArchiveReader):
    """A reader that does."""

    def __init__(self, *, url: str, cluster: str) -> None:
        super().__init__(url=url, cluster=cluster)
        self.plans: list[tuple[str, Plan]] = []

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[database.Connection]:
        async with super()._connected() as connection:
            explaining = Explaining(connection)
            yield explaining
            self.plans += explaining.plans


def bad(sql: str, plan: Plan) -> str | None:
    """What reads all of a table that grows, or sorts what an index should have in order."""
    # Only what is known by its key, some rows of it, is sorted.
    ordered = "unnest" not in sql and "LIMIT" in sql
    for node in _nodes(plan):
        kind = node["Node Type"]
        whole = kind in _WHOLE and node.get("Relation Name", "").startswith(_BIG)
        if whole or (ordered and kind in _SORTS):
            return f"{kind} {node.get('Relation Name', '')}: {sql}"
    return None


def _nodes(plan: Plan) -> Iterator[Plan]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)
