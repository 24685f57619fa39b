"""The schema that the migrations make is the one that the code knows."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from reactor.audit.archive.schema import BY_MONTH, HEAD, PARTITIONED, metadata
from reactor.audit.query import Filters
from tests.archive.fixtures import migrate
from tests.archive.postgres import Postgres
from tests.archive.shipping import level, reading, shipping, until
from tests.unit.audit.logs import entry, opened

_TABLES = "SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'p') AND relname = ANY($1)"


def _differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), metadata))


async def test_the_migrations_make_the_schema_of_the_code(
    postgres: Postgres, database: str
) -> None:
    engine = create_async_engine(postgres.url(database), poolclass=NullPool)
    async with engine.connect() as connection:
        assert await connection.run_sync(_differences) == []
    await engine.dispose()
    for table in PARTITIONED:
        (found,) = await postgres.fetch(
            database, "SELECT pg_get_partkeydef($1::regclass::oid)", table
        )
        assert found == (BY_MONTH,)


async def test_partial_indexes_are_partial_in_both(postgres: Postgres, database: str) -> None:
    found = dict(
        await postgres.fetch(
            database,
            "SELECT indexname, indexdef LIKE '%WHERE%' FROM pg_indexes WHERE tablename = 'entries'",
        )
    )
    for index in metadata.tables["entries"].indexes:
        partial = index.dialect_options["postgresql"]["where"] is not None
        assert found[str(index.name)] == partial, index.name


async def test_several_migrate_at_once_and_one_of_them_does(postgres: Postgres, empty: str) -> None:
    await asyncio.gather(*(asyncio.to_thread(migrate, postgres.url(empty)) for _ in range(3)))
    assert await postgres.fetch(empty, "SELECT version_num FROM alembic_version") == [(HEAD,)]


async def test_rows_of_the_first_schema_are_found_by_phrase_and_finding_as_new_ones_are(
    postgres: Postgres, database: str, tmp_path: Path
) -> None:
    url, path = postgres.url(database), tmp_path / "log.sqlite"
    async with opened(path) as log:
        for old in (True, False):
            for message in ("weight is too large", "too is weight large"):
                finding = {"reason": "InvalidWeight", "message": message}
                detail = msgspec.json.encode({"desired": {"findings": [finding]}})
                log.append(entry("translated", "web", detail=detail))
            assert await log.commit()
            async with shipping(url, path) as shipper:
                await until(level(shipper))
            if old:
                await asyncio.to_thread(migrate, url, "downgrade", "0001")
    for filters, expected in (
        (Filters(text='"too large"'), 2),
        (Filters(text="large", finding="InvalidWeight"), 4),
        (Filters(text="large", finding="ShadowedBy"), 0),
    ):
        async with reading(url, cluster="one") as reader:
            assert len((await reader.entries(filters)).entries) == expected


async def test_a_downgrade_leaves_nothing(postgres: Postgres, database: str) -> None:
    await asyncio.to_thread(migrate, postgres.url(database), "downgrade")
    assert await postgres.fetch(database, _TABLES, list(metadata.tables)) == [(0,)]
