"""One server for all tests of a process, and a migrated database for each."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.archive.postgres import Postgres, Unavailable

_TEMPLATE = "migrated"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server; a test that stops it starts it again."""
    try:
        found = Postgres()
    except Unavailable as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"NO ARCHIVE TESTS: {error}")
        pytest.skip(f"NO ARCHIVE TESTS: {error}")
    try:
        found.start()
        yield found
    finally:
        found.close()


@pytest_asyncio.fixture
async def empty(postgres: Postgres) -> AsyncIterator[str]:
    """The name of a database without a schema."""
    postgres.ensure()
    name = f"empty_{uuid.uuid4().hex[:8]}"
    await postgres.run(f"CREATE DATABASE {name}")
    yield name
    await postgres.run(f"DROP DATABASE {name} WITH (FORCE)")


@pytest_asyncio.fixture
async def database(postgres: Postgres) -> AsyncIterator[str]:
    """The name of a database with the archive's schema."""
    name = f"archive_{uuid.uuid4().hex[:8]}"
    await new_archive(postgres, name)
    yield name
    await postgres.run(f"DROP DATABASE {name} WITH (FORCE)")


async def new_archive(postgres: Postgres, name: str) -> None:
    """Make a database with the archive's schema; migrated once, then copied."""
    postgres.ensure()
    there = await postgres.fetch(
        "postgres", "SELECT 1 FROM pg_database WHERE datname = $1", _TEMPLATE
    )
    if not there:
        await postgres.run(f"CREATE DATABASE {_TEMPLATE}")
        await asyncio.to_thread(migrate, postgres.url(_TEMPLATE))
    await postgres.run(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")


def migrate(url: str, *command: str) -> None:
    """Run the archive's migrations."""
    subprocess.run(
        [sys.executable, "-m", "migrations.archive", *(command or ("upgrade",))],
        env={**os.environ, "SMI_ADAPTOR_ARCHIVE_URL": url},
        check=True,
    )
