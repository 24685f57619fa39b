"""Months of the archive: made before rows need them, dropped when all of their rows are too old."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from reactor.audit.archive.database import Connection
from reactor.audit.archive.months import Month
from reactor.audit.archive.schema import PARTITIONED

LOCK: Final = 0x534D4970
"""Held by whoever makes or drops a month."""
# Both need the parent for themselves: whoever reads for long must not be queued behind for long.
_IMPATIENT: Final = "SET LOCAL lock_timeout = '2s'"


async def make(connection: Connection, months: Iterable[Month]) -> None:
    """Have these months; those that are there stay as they are."""
    for month in sorted(months):
        if await _there(connection, month):
            continue
        async with connection.transaction():
            await _alone(connection)
            if await _there(connection, month):
                continue
            for table in PARTITIONED:
                await connection.execute(
                    f"CREATE TABLE {table}_{month} PARTITION OF {table}"
                    f" FOR VALUES FROM ({month.begin}) TO ({month.next.begin})"
                )


async def drop(connection: Connection, now: int) -> list[Month]:
    """Drop the months that every cluster of the archive calls too old; which those were."""
    kept = await connection.fetchval("SELECT max(retention) FROM clusters")
    found = await connection.fetch(
        "SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid"
        " WHERE inhparent = 'entries'::regclass"
    )
    months = sorted(Month.parse(name.rpartition("_")[2]) for (name,) in found)
    old = [month for month in months if month.next.begin <= now - kept * 1_000_000]
    for month in old:
        async with connection.transaction():
            await _alone(connection)
            for table in PARTITIONED:
                await connection.execute(f"DROP TABLE IF EXISTS {table}_{month}")
    return old


async def _alone(connection: Connection) -> None:
    await connection.execute(_IMPATIENT)
    await connection.execute(f"SELECT pg_advisory_xact_lock({LOCK})")


async def _there(connection: Connection, month: Month) -> bool:
    return await connection.fetchval("SELECT to_regclass($1)", f"entries_{month}") is not None
