"""Connections to the archive, its schema, and what its errors mean to an operator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import asyncpg

from reactor.audit import migrate
from reactor.audit.archive.schema import HEAD, REVISIONS
from reactor.audit.trouble import Unavailable

Connection = Any
"""asyncpg's, which has no types."""

ERRORS: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)
"""What any call of the driver may raise."""
CONNECT: Final = 5.0
COMMAND: Final = 30.0
"""Seconds; a server that went silent is given up then."""


async def connect(
    url: str, *, patience: float | None = None, settings: Mapping[str, str] | None = None
) -> Connection:
    """Connect; raises Unavailable. ``patience``: seconds that a statement may take; ``settings``
    are the server's, for this session.
    """
    try:
        return await asyncpg.connect(
            dsn=url.replace("postgresql+asyncpg:", "postgresql:", 1),
            timeout=CONNECT,
            command_timeout=patience or COMMAND,
            server_settings={
                "application_name": "smi-adaptor",
                "timezone": "UTC",
                # What a crash of the server takes with it is found missing and sent again.
                "synchronous_commit": "off",
                **(settings or {}),
            },
        )
    except ERRORS as error:
        raise explain(error, url) from error
    except ValueError as error:
        # The driver's words may quote the URL.
        raise Unavailable(f"the archive's URL for {place(url)} can't be used") from error


def place(url: str) -> str:
    """Which archive that is, without who asks it."""
    parts = urlsplit(url)
    return f"{parts.netloc.rpartition('@')[2]}{parts.path}"


def explain(error: BaseException, url: str) -> Unavailable:
    """The error in one line that names what to do; never the password."""
    where = f"the archive {place(url)}"
    if isinstance(error, asyncpg.InvalidAuthorizationSpecificationError):
        return Unavailable(f"{where} refuses the user or the password; check -archive-url")
    if isinstance(error, asyncpg.InvalidCatalogNameError):
        return Unavailable(f"{where} isn't there: make that database, or check -archive-url")
    if isinstance(error, asyncpg.InsufficientPrivilegeError):
        return Unavailable(f"{where} allows the user too little: {_line(error)}")
    if isinstance(error, asyncpg.DiskFullError):
        return Unavailable(f"the disk of {where} is full; make room on it")
    if isinstance(error, asyncpg.InterfaceError | asyncpg.PostgresConnectionError):
        return Unavailable(f"{where} broke the connection off")
    if isinstance(error, TimeoutError):
        return Unavailable(f"{where} doesn't answer")
    if isinstance(error, OSError):
        return Unavailable(f"{where} can't be reached: {error.strerror or _line(error)}")
    return Unavailable(f"{where}: {_line(error)}")


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


async def ready(connection: Connection, url: str) -> None:
    """Bring the schema up to date, in a child process: alembic is never loaded here.

    Raises Unavailable, for an archive of a newer release too: it may be upgraded meanwhile.
    """
    version = await _version(connection)
    if version == HEAD:
        return
    if version is not None and version not in REVISIONS:
        raise Unavailable(
            f"the archive {place(url)} has schema {version}, made by a newer release; this one "
            f"knows up to {HEAD}, and ships nothing until it is upgraded"
        )
    last = await migrate.upgrade("migrations.archive", SMI_ADAPTOR_ARCHIVE_URL=url)
    if last is not None:
        raise Unavailable(f"the archive {place(url)} can't be brought to schema {HEAD}: {last}")


async def _version(connection: Connection) -> str | None:
    if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
        return None
    found: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
    return found
