"""Runs migrations on the archive, in one transaction, one process at a time."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Final

from alembic import context
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from reactor.audit.archive.database import connect
from reactor.audit.archive.schema import metadata

LOCK: Final = 0x534D4961
"""Of several replicas that start at once, the second finds nothing left to do."""
_PATIENCE: Final = 6 * 3600.0
"""Seconds that a statement may take: an index over years of rows is made meanwhile."""


def _migrate(connection: Connection) -> None:
    connection.exec_driver_sql("SET LOCAL lock_timeout = '60s'")
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
    context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()


async def _run() -> None:
    url = context.config.attributes["url"]
    engine = create_async_engine(
        "postgresql+asyncpg://",
        poolclass=NullPool,
        async_creator=partial(connect, url, patience=_PATIENCE),
    )
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_migrate)
    finally:
        await engine.dispose()


if context.is_offline_mode():
    raise SystemExit("the archive is migrated online only")
asyncio.run(_run())
