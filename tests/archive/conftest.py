"""One server for all tests of a process, and a migrated database for each."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.archive.postgres import Postgres

_TEMPLATE = "migrated"


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    """A server; a test that stops it starts it again."""
    found = Postgres()
    try:
        found.start()
        yield found
    finally:
        found.close()


@pytest_asyncio.fixture
async def empty(server: Postgres) -> AsyncIterator[str]:
    """The name of a database without a schema."""
    name = f"empty_{uuid.uuid4().hex[:8]}"
    await server.run(f"CREATE DATABASE {name}")
    yield name
    await server.run(f"DROP DATABASE {name} WITH (FORCE)")


@pytest_asyncio.fixture
async def database(server: Postgres) -> AsyncIterator[str]:
    """The name of a database with the archive's schema."""
    there = await server.fetch(
        "postgres", "SELECT 1 FROM pg_database WHERE datname = $1", _TEMPLATE
    )
    if not there:
        await server.run(f"CREATE DATABASE {_TEMPLATE}")
        migrate(server.url(_TEMPLATE))
    name = f"archive_{uuid.uuid4().hex[:8]}"
    await server.run(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
    yield name
    await server.run(f"DROP DATABASE {name} WITH (FORCE)")


def migrate(url: str, *command: str) -> None:
    """Run the archive's migrations."""
    subprocess.run(
        [sys.executable, "-m", "migrations.archive", *(command or ("upgrade",))],
        env={**os.environ, "SMI_ADAPTOR_ARCHIVE_URL": url},
        check=True,
    )
