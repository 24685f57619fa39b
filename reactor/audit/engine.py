"""Connections on aiosqlite: one for the writer, short-lived ones for readers."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import quote

import aiosqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import StaticPool

from reactor.audit.index.schema import PAGE
from reactor.audit.library import AsyncConnection, create_async_engine
from reactor.errors import Fatal

T = TypeVar("T")

BUSY: Final = 0.8
"""Seconds that a statement waits for another program's lock: less than a caller waits."""
_RETURNING: Final = 0.0005
"""Seconds that the event loop waits for a thread's end."""

LOG_PAGE: Final = 8192
"""Bytes of a page of a new log: few rows fill half of one, and so leave little of it empty."""

# Rows land on random pages of the indexes: the longer the WAL, the fewer of them are copied twice.
# journal_mode=WAL writes to the file, so it waits until that is known to be ours.
_WRITER: Final = (
    f"PRAGMA page_size={LOG_PAGE}",
    "PRAGMA synchronous=FULL",
    "PRAGMA cache_size=-8000",
    "PRAGMA wal_autocheckpoint=5000",
    "PRAGMA journal_size_limit=67108864",
    "PRAGMA secure_delete=OFF",
    "PRAGMA temp_store=MEMORY",
)


def location(url: str) -> Path:
    """The file that ``-audit-url`` names: a path, or ``sqlite:///`` and a path."""
    if "://" not in url:
        path = url
    else:
        try:
            parsed = make_url(url)
        except (ArgumentError, ValueError):
            raise Fatal(f"-audit-url {url!r} is no URL; give a path", code=2) from None
        if parsed.get_backend_name() != "sqlite":
            raise Fatal(
                f"-audit-url {url!r}: only SQLite is supported; give sqlite:///PATH or a path",
                code=2,
            )
        path = parsed.database or ""
    if path in ("", ":memory:"):
        raise Fatal(f"-audit-url {url!r} names no file; give the path of one", code=2)
    return Path(path).absolute()


class Source(NamedTuple):
    """A file as SQLite opens it, and what each connection to it is told first."""

    name: str
    pragmas: tuple[str, ...]


def writer(path: Path) -> Source:
    """For the one writer: every commit synced, transactions begun by hand."""
    return Source(uri(path, "rwc"), _WRITER)


def reader(path: Path) -> Source:
    """Read-only; each connection lives for one question, so that none holds up the WAL."""
    return Source(uri(path, "ro"), ("PRAGMA query_only=ON", "PRAGMA cache_size=-4000"))


def index(path: Path) -> Source:
    """For what builds the search index: it can be made again, so nothing waits for the disk.

    The file shrinks with what is in it, since its size counts as the log's, and its WAL is kept
    short for the same reason.
    """
    pragmas = (
        f"page_size={PAGE}",
        "auto_vacuum=FULL",
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "wal_autocheckpoint=256",
        f"journal_size_limit={1 << 20}",
        "cache_size=-512",
    )
    return Source(uri(path, "rwc"), tuple(f"PRAGMA {pragma}" for pragma in pragmas))


def uri(path: Path, mode: str) -> str:
    """A file's name for SQLite; ``mode`` is ro, or rwc to make it if need be."""
    return f"file:{quote(str(path))}?mode={mode}"


async def _connected(source: Source) -> Any:
    # aiosqlite offers its queue of calls by this name alone.
    connection: Any = aiosqlite.connect(source.name, uri=True, timeout=BUSY, isolation_level=None)
    # A disk that hangs must not keep the process from ending.
    connection._thread.daemon = True
    try:
        await connection
        await connection._execute(_prepare, connection._conn, source.pragmas)
    except BaseException:
        # aiosqlite tells its thread to stop, but doesn't wait until it has.
        connection.stop()
        await _ended(connection._thread)
        raise
    return connection


def _prepare(connection: sqlite3.Connection, pragmas: tuple[str, ...]) -> None:
    for pragma in pragmas:
        connection.execute(pragma)


async def _ended(thread: Thread) -> None:
    # As a rule it has only to return, which takes less than the shortest sleep.
    thread.join(_RETURNING)
    for _ in range(1000):
        if not thread.is_alive():
            return
        await asyncio.sleep(0.001)


@contextmanager
def _plain() -> Iterator[None]:
    """Errors as the driver raised them."""
    try:
        yield
    except DBAPIError as error:
        if isinstance(error.orig, sqlite3.Error):
            raise error.orig from error
        raise


class Connection:
    """A connection whose thread runs whole functions: one hop for a transaction, not one for
    each of its statements.
    """

    def __init__(self, driver: Any) -> None:
        self._driver = driver

    @classmethod
    async def open(cls, source: Source) -> Connection:
        """Connect; raises sqlite3.Error."""
        return cls(await _connected(source))

    async def run(self, function: Callable[..., T], *args: Any) -> T:
        """Call ``function(connection, *args)`` on the connection's thread."""
        result: T = await self._driver._execute(function, self._driver._conn, *args)
        return result

    async def perform(self, function: Callable[[AsyncConnection], Any]) -> Any:
        """Await ``function(connection)`` with SQLAlchemy's view of the same connection."""

        async def connected() -> Any:
            return self._driver

        # A pool that closes nothing: the connection goes on afterwards.
        engine = create_async_engine(
            "sqlite+aiosqlite://", poolclass=StaticPool, async_creator=connected
        )
        with _plain():
            async with engine.connect() as connection:
                return await function(connection)

    def interrupt(self) -> None:
        """Make a statement that runs right now fail."""
        self._driver._conn.interrupt()

    async def close(self) -> None:
        """Close, and wait until the connection's thread has ended."""
        await self._driver.close()
        await _ended(self._driver._thread)
