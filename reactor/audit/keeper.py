"""Keeps the log's file at hand: its lock, its connection, and the file itself."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

from reactor.audit import file, rescue
from reactor.audit.engine import Connection
from reactor.audit.ledger import Ledger, Start
from reactor.audit.lock import Lock
from reactor.audit.trouble import Unavailable, explain, refused

T = TypeVar("T")

LOOK: Final = 1.0
"""Seconds between looks at the file's identity."""
RETRY: Final = 0.25
"""Seconds between attempts to take the lock."""


class Keeper:
    """One run's hold on one file. Every method raises `Unavailable` or `Fatal`, nothing else."""

    def __init__(self, path: Path, start: Callable[[], Start]) -> None:
        self._path = path
        self._start = start
        self._lock = Lock(path)
        self._ledger = Ledger()
        self._connection: Connection | None = None
        self._identity: file.Identity | None = None
        self._look_at = 0.0

    @property
    def path(self) -> Path:
        """The database's file."""
        return self._path

    @property
    def ledger(self) -> Ledger:
        """This run's place in the file."""
        return self._ledger

    async def lock(self, waiting: Callable[[str], None]) -> None:
        """Take the lock, however long another process holds it; ``waiting`` is told so once."""
        told = False
        file.check(self._path)
        try:
            while not self._lock.take():
                if not told:
                    told = True
                    waiting(f"another process writes to {self._path}; waiting for its end")
                await asyncio.sleep(RETRY)
        except OSError as error:
            raise refused(error, self._path) from error

    async def hold(self) -> None:
        """Have a connection on which this run has begun."""
        if self._connection is not None:
            return
        connection = await file.connect(self._path)
        try:
            if self._ledger.run:
                await connection.run(self._ledger.adopt)
            else:
                await connection.run(self._ledger.begin, self._start())
        except sqlite3.Error as error:
            await connection.close()
            raise explain(error, self._path) from error
        except BaseException:
            await connection.close()
            raise
        self._connection = connection
        self._identity = file.identity(self._path)

    async def run(self, function: Callable[..., T], *arguments: object) -> T:
        """Call ``function(connection, *arguments)`` on the connection's thread."""
        if self._connection is None:
            raise Unavailable(f"audit database {self._path} isn't open")
        try:
            return await self._connection.run(function, *arguments)
        except sqlite3.Error as error:
            await self._suspect(error)
            raise explain(error, self._path) from error

    def interrupt(self) -> None:
        """Make what runs right now fail."""
        if self._connection is not None:
            self._connection.interrupt()

    async def _suspect(self, error: sqlite3.Error) -> None:
        """After an error that isn't about locks or room the handle may be of no use.

        Unless the file is gone: then the handle is all that is left of it.
        """
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_INTERRUPT):
            return
        if file.identity(self._path) == self._identity:
            await self.close()

    def lost(self) -> bool:
        """Whether the file was deleted or replaced: SQLite doesn't tell. Looks once a second."""
        if self._connection is None or time.monotonic() < self._look_at:
            return False
        try:
            if not self._lock.held() and not self._lock.take():
                raise Unavailable(f"another process took over audit database {self._path}")
        except OSError as error:
            raise refused(error, self._path) from error
        if file.identity(self._path) != self._identity:
            return True
        self._look_at = time.monotonic() + LOOK
        return False

    async def restore(self) -> None:
        """Write a fresh file from the open handle and go on with that."""
        if self._connection is None:
            return
        try:
            fresh = await rescue.copy(self._connection, self._path)
            await self.close()
            rescue.place(fresh, self._path)
        except sqlite3.Error as error:
            raise explain(error, self._path) from error
        except OSError as error:
            raise refused(error, self._path) from error
        await self.hold()

    async def close(self) -> None:
        """Close the connection and wait for its thread's end; the lock stays."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                await connection.close()

    def release(self) -> None:
        """Let the lock go."""
        self._lock.release()
