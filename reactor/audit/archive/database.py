"""Connections to the archive, its schema, and what its errors mean to an operator."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import asyncpg

from reactor.audit import migrate
from reactor.audit.archive.schema import HEAD, REVISIONS, metadata
from reactor.audit.trouble import Unavailable

Connection = Any
"""asyncpg's, which has no types."""

ERRORS: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)
"""What any call of the driver may raise."""
CONNECT: Final = 5.0
COMMAND: Final = 30.0
"""Seconds; a server that went silent is given up then."""


class Away(Unavailable):
    """The archive can't be used now; ``told`` says it to those who needn't know where that is."""

    def __init__(self, url: str, what: str, *, detail: str = "") -> None:
        super().__init__(f"the archive {place(url)} {what}{detail and f': {detail}'}")
        self.told = f"it {what}"


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
    except (*ERRORS, ValueError) as error:
        raise explain(error, url) from error


def place(url: str) -> str:
    """Which archive that is, without who asks it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "of a broken URL"
    return f"{parts.netloc.rpartition('@')[2]}{parts.path}"


def explain(error: BaseException, url: str) -> Away:
    """The error in one line that names what to do; never the password."""
    if isinstance(error, asyncpg.InvalidAuthorizationSpecificationError):
        return Away(url, "refuses the user or the password; check -archive-url")
    if isinstance(error, asyncpg.InvalidCatalogNameError):
        return Away(url, "isn't there: make that database, or check -archive-url")
    if isinstance(error, asyncpg.InsufficientPrivilegeError):
        return Away(url, "allows the user too little", detail=_line(error))
    if isinstance(error, asyncpg.DiskFullError):
        return Away(url, "has a full disk; make room on it")
    if isinstance(error, ssl.SSLError):  # some are ValueErrors too
        what = "has a certificate that isn't trusted; check sslrootcert"
        return Away(url, what, detail=_line(error))
    if isinstance(error, ValueError):
        # Among the driver's own; its words may quote the URL.
        return Away(url, "can't be asked with the URL that was given")
    if isinstance(error, asyncpg.InterfaceError | asyncpg.PostgresConnectionError):
        return Away(url, "broke the connection off")
    if isinstance(error, TimeoutError):
        return Away(url, "doesn't answer")
    if isinstance(error, FileNotFoundError):
        what = "can't be reached: a file is missing"
        return Away(url, what, detail="sslrootcert, sslcert, sslkey, or the socket")
    if isinstance(error, OSError):
        return Away(url, "can't be reached", detail=error.strerror or _line(error))
    return Away(url, "answers with an error", detail=_line(error))


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


async def ready(connection: Connection, url: str) -> None:
    """Bring the schema up to date, in a child process: alembic is never loaded here.

    Raises Unavailable, for an archive of a newer release too: it may be upgraded meanwhile.
    """
    # One moment for both: another replica may be about to commit its migration.
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        version, keyed = await _version(connection), await _keyed(connection)
    if version is not None and version not in REVISIONS:
        raise Away(
            url,
            f"has schema {version}, made by a newer release; this one knows up to {HEAD}, and "
            "ships nothing until it is upgraded",
        )
    # Without its key a table takes every row twice.
    if version == HEAD and (missing := sorted(metadata.tables.keys() - keyed)):
        raise Away(url, f"was restored by half: {', '.join(missing)} {_WHOLE}")
    if version is None and keyed:
        raise Away(url, f"was restored by half: it has tables, and no version; {_ANEW}")
    if version == HEAD:
        return
    last = await migrate.upgrade("migrations.archive", SMI_ADAPTOR_ARCHIVE_URL=url)
    if last is not None:
        raise Away(url, f"can't be brought to schema {HEAD}", detail=last)


_ANEW: Final = "finish that, or drop the database and make it anew"
_WHOLE: Final = f"missing or without key; {_ANEW}"


async def _version(connection: Connection) -> str | None:
    if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
        return None
    found: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
    return found


async def _keyed(connection: Connection) -> set[str]:
    """Those of our tables that have their primary key."""
    found = await connection.fetch(
        "SELECT relname FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid"
        " WHERE contype = 'p' AND pg_table_is_visible(conrelid) AND relname = ANY($1)",
        list(metadata.tables),
    )
    return {name for (name,) in found}
