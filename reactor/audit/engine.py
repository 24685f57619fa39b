"""Engines on aiosqlite: one connection for the writer, short-lived ones for readers."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any, Final, TypeVar
from urllib.parse import quote

import aiosqlite
from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import NullPool

from reactor.audit.library import AsyncConnection, AsyncEngine, create_async_engine
from reactor.errors import Fatal

T = TypeVar("T")

BUSY: Final = 0.8
"""Seconds that a statement waits for another program's lock: less than a caller waits."""

# Rows land on random pages of the indexes: the longer the WAL, the fewer of them are copied twice.
# journal_mode=WAL writes to the file, so it waits until that is known to be ours.
_WRITER: Final = (
    "PRAGMA synchronous=FULL",
    "PRAGMA cache_size=-8000",
    "PRAGMA wal_autocheckpoint=10000",
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


def writer(path: Path) -> AsyncEngine:
    """For the one writer: every commit synced, transactions begun by hand."""
    return _engine(path, "rwc", _WRITER)


def reader(path: Path) -> AsyncEngine:
    """Read-only; each connection lives for one question, so that none holds up the WAL."""
    return _engine(path, "ro", ("PRAGMA query_only=ON", "PRAGMA cache_size=-4000"))


def index(path: Path) -> AsyncEngine:
    """For what builds the search index: it can be made again, so nothing waits for the disk.

    The file shrinks with what is in it, since its size counts as the log's, and its WAL is kept
    short for the same reason.
    """
    pragmas = (
        "auto_vacuum=FULL",
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "wal_autocheckpoint=256",
        f"journal_size_limit={1 << 20}",
        "cache_size=-512",
    )
    return _engine(path, "rwc", tuple(f"PRAGMA {pragma}" for pragma in pragmas))


def uri(path: Path, mode: str) -> str:
    """A file's name for SQLite; ``mode`` is ro, or rwc to make it if need be."""
    return f"file:{quote(str(path))}?mode={mode}"


def _engine(path: Path, mode: str, pragmas: tuple[str, ...]) -> AsyncEngine:
    name = uri(path, mode)

    async def connect() -> aiosqlite.Connection:
        connection = aiosqlite.connect(name, uri=True, timeout=BUSY, isolation_level=None)
        # A disk that hangs must not keep the process from ending.
        connection._thread.daemon = True
        try:
            return await connection
        except BaseException:
            # aiosqlite tells its thread to stop, but doesn't wait until it has.
            await _ended(connection._thread)
            raise

    engine = create_async_engine("sqlite+aiosqlite://", poolclass=NullPool, async_creator=connect)

    @event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: Any, record: Any) -> None:
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(pragma)
        cursor.close()

    return engine


async def _ended(thread: Thread) -> None:
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

    def __init__(self, engine: AsyncEngine, connection: AsyncConnection, driver: Any) -> None:
        self._engine = engine
        self._connection = connection
        self._driver = driver

    @classmethod
    async def open(cls, engine: AsyncEngine) -> Connection:
        """Connect; raises sqlite3.Error."""
        try:
            with _plain():
                connection = await engine.connect()
        except BaseException:
            await engine.dispose()
            raise
        raw = await connection.get_raw_connection()
        return cls(engine, connection, raw.driver_connection)

    async def run(self, function: Callable[..., T], *args: Any) -> T:
        """Call ``function(connection, *args)`` on the connection's thread."""
        # aiosqlite offers its queue of calls by this name alone.
        result: T = await self._driver._execute(function, self._driver._conn, *args)
        return result

    async def perform(self, function: Callable[[AsyncConnection], Any]) -> Any:
        """Await ``function(connection)`` with SQLAlchemy's view of the same connection."""
        with _plain():
            return await function(self._connection)

    def interrupt(self) -> None:
        """Make a statement that runs right now fail."""
        self._driver._conn.interrupt()

    async def close(self) -> None:
        """Close, and wait until the connection's thread has ended."""
        thread = self._driver._thread
        await self._connection.close()
        await self._engine.dispose()
        await _ended(thread)
