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
    wanted = set(months)
    for month in sorted(wanted - await there(connection)):
        async with connection.transaction():
            await _alone(connection)
            if month in await there(connection):
                continue
            for table in PARTITIONED:
                await connection.execute(
                    f"CREATE TABLE {table}_{month} PARTITION OF {table}"
                    f" FOR VALUES FROM ({month.begin}) TO ({month.next.begin})"
                )


async def drop(connection: Connection, now: int) -> list[Month]:
    """Drop the months that every cluster of the archive calls too old; which those were."""
    kept = await connection.fetchval("SELECT max(retention) FROM clusters")
    months = await there(connection)
    old = [month for month in sorted(months) if month.next.begin <= now - kept * 1_000_000]
    for month in old:
        async with connection.transaction():
            await _alone(connection)
            for table in PARTITIONED:
                await connection.execute(f"DROP TABLE IF EXISTS {table}_{month}")
    return old


async def _alone(connection: Connection) -> None:
    await connection.execute(_IMPATIENT)
    await connection.execute(f"SELECT pg_advisory_xact_lock({LOCK})")


async def there(connection: Connection) -> set[Month]:
    """The months that are there now."""
    # Not by to_regclass: what it has cached may be from before the lock was ours.
    found = await connection.fetch(
        "SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid"
        " WHERE inhparent = 'entries'::regclass"
    )
    return {Month.parse(name.rpartition("_")[2]) for (name,) in found}
