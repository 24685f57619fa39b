"""An authority given by the chart is the one that PostgreSQL's certificate has to be of.

The wheel's PostgreSQL knows no TLS. What answers for it here, and passes all on in the plain, is
the one pretended part.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from reactor.audit.archive import database
from reactor.install.archive import archive
from reactor.install.model import ArchiveCa, ArchiveValues
from reactor.sandbox.certificates import issue
from tests.archive.postgres import PASSWORD, Postgres

MINE, OTHER = issue(), issue()


@asynccontextmanager
async def terminator(port: int, context: ssl.SSLContext) -> AsyncIterator[int]:
    """Says yes to a client that asks for TLS; the port."""

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(8)
        writer.write(b"S")
        try:
            await writer.start_tls(context)
        except (ssl.SSLError, ConnectionError):
            writer.close()
            return
        server = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pass_on(reader, server[1]), pass_on(server[0], writer))

    listening = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()
        await listening.wait_closed()


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file that the chart mounts, named by the variables that it sets."""
    file = tmp_path / "ca.crt"
    file.write_bytes(MINE.authority)
    values = ArchiveValues(existing_secret="archive", ca=ArchiveCa(existing_secret="ca"))
    given = archive(values)
    assert given is not None
    variables = {one["name"]: one["value"] for one in given.env if "value" in one}
    variables["PGSSLROOTCERT"] = str(file)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("authority")
async def test_a_server_of_that_authority_is_trusted(postgres: Postgres) -> None:
    async with terminator(postgres.port, MINE.server_context()) as port:
        url = f"postgresql+asyncpg://adaptor:{PASSWORD}@127.0.0.1:{port}/postgres"
        connection = await database.connect(url)
        assert await connection.fetchval("SELECT 1") == 1
        await connection.close()


@pytest.mark.usefixtures("authority")
async def test_no_other_server_is_told_anything(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with terminator(postgres.port, OTHER.server_context()) as port:
        url = f"postgresql+asyncpg://adaptor:{PASSWORD}@127.0.0.1:{port}/postgres"
        with pytest.raises(database.Away, match="certificate that isn't trusted"):
            await database.connect(url)
        monkeypatch.setenv("PGSSLROOTCERT", "/nowhere/ca.crt")
        with pytest.raises(database.Away, match="a file is missing: sslrootcert"):
            await database.connect(url)


@pytest.mark.usefixtures("authority")
async def test_a_server_without_certificate_is_not_told_anything_either(postgres: Postgres) -> None:
    with pytest.raises(database.Away, match="can't be reached"):
        await database.connect(postgres.url("postgres"))
