"""The one writer of the audit log."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from reactor.audit import engine, file, rescue
from reactor.audit.buffer import Bounds, Buffer
from reactor.audit.engine import Connection
from reactor.audit.entry import Entry
from reactor.audit.ledger import Ledger, Start
from reactor.audit.lock import Lock
from reactor.audit.recall import Recollection, recollect
from reactor.audit.retention import Retention, Sweeper
from reactor.audit.trouble import Unavailable, explain, refused
from reactor.audit.waiters import Waiters
from reactor.errors import Fatal, ReactorError

GROUP_ROWS: Final = 256
GROUP_SIZE: Final = 2 << 20
"""One transaction holds at most so much: enough to share a sync, short enough to be quick."""
LOOK: Final = 1.0
"""Seconds between looks at the file's identity."""
RETRY: Final = 0.25
"""Seconds between attempts on a database that failed."""
GRACE: Final = 3.0
"""Seconds that `open` waits for a locked or full database before serving goes on without it."""

_log = logging.getLogger(__name__)


def microseconds() -> int:
    """The wall clock: microseconds since 1970 UTC."""
    return time.time_ns() // 1000


class Journal:
    """Takes rows without ever blocking, and commits them in groups, in order.

    While one group is being committed the next one gathers; one sync serves all who wait.
    When the database fails, nobody waits until a commit succeeds again.
    """

    def __init__(
        self,
        *,
        url: str,
        version: str,
        host: str,
        settings: Mapping[str, str],
        cluster_domain: str,
        retention: Retention,
        clock: Callable[[], int] = microseconds,
        on_commit: Callable[[int, float], None] | None = None,
        bounds: Bounds | None = None,
    ) -> None:
        self._path = engine.location(url)
        self._version = version
        self._host = host
        self._settings = msgspec.json.encode(dict(settings), order="sorted").decode()
        self._domain = cluster_domain
        self._clock = clock
        self._on_commit = on_commit
        self._bounds = bounds or Bounds()
        self._buffer = Buffer(self._bounds)
        self._group: list[Entry] = []
        self._sweeper = Sweeper(retention)
        self._lock = Lock(self._path)
        self._connection: Connection | None = None
        self._ledger = Ledger()
        self._identity: file.Identity | None = None
        self._waiters = Waiters(self._late)
        self._wake = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None
        self._closing = False
        self._waiting: str | None = None
        self._degraded: str | None = None
        self._run = ""
        self._appended = 0
        self._settled = 0
        self._rows = 0
        self._gaps = 0
        self._last_commit = 0.0
        self._look_at = 0.0

    # What others may know.

    @property
    def path(self) -> Path:
        """The database's file."""
        return self._path

    @property
    def run(self) -> str:
        """The id of this run (UUIDv7); "" until the file is open."""
        return self._run

    @property
    def degraded(self) -> str | None:
        """Why rows aren't kept durably now, in plain words; None while they are."""
        return self._degraded

    @property
    def waiting(self) -> str | None:
        """Why `open` hasn't returned: another process holds the log."""
        return self._waiting

    @property
    def backlog(self) -> int:
        """Rows that aren't durable yet."""
        return len(self._buffer) + len(self._group)

    @property
    def backlog_bytes(self) -> int:
        """Their size, about."""
        return self._buffer.size

    @property
    def capacity(self) -> int:
        """Rows that fit into the buffer."""
        return self._bounds.rows

    @property
    def rows(self) -> int:
        """Rows committed by this process."""
        return self._rows

    @property
    def gaps(self) -> int:
        """Rows dropped by this process."""
        return self._gaps

    @property
    def last_commit_seconds(self) -> float:
        """How long the last commit took."""
        return self._last_commit

    # Life.

    async def open(self) -> None:
        """Take the lock (waiting for its holder), open the file, migrate it, begin the run.

        A locked or full database doesn't hold up the start for longer than 3 s: the journal is
        degraded then, and goes on trying. Raises Fatal for what waiting can't mend.
        """
        await self._take_lock()
        try:
            given_up = asyncio.get_running_loop().time() + GRACE
            while not await self._establish():
                if asyncio.get_running_loop().time() >= given_up:
                    break
                await asyncio.sleep(RETRY)
        except BaseException:
            self._lock.release()
            raise
        self._writer = asyncio.create_task(self._write(), name="journal")

    def append(self, entry: Entry) -> None:
        """Take a row; never blocks. Rows keep their order; what doesn't fit is counted."""
        reason = self._degraded or "rows came faster than the database took them"
        if self._buffer.append(entry, reason):
            self._appended += 1
        else:
            self._gaps += 1
        self._wake.set()

    async def commit(self) -> bool:
        """Wait until everything appended so far is durable.

        False, at once, while the log is degraded; False after a second without any commit.
        """
        if self._degraded is not None or self._closing:
            return False
        if self._settled >= self._appended:
            return True
        return await self._waiters.wait(self._appended)

    async def recall(self) -> Recollection:
        """What the log knows from earlier runs; nothing, and ``known`` False, if it can't say."""
        try:
            reading = await Connection.open(engine.reader(self._path))
        except sqlite3.Error as error:
            _log.warning("audit log can't be read: %s", explain(error, self._path))
            return Recollection(known=False)
        try:
            return await reading.run(recollect, self._run)
        except sqlite3.Error as error:
            _log.warning("audit log can't be read: %s", explain(error, self._path))
            return Recollection(known=False)
        finally:
            await reading.close()

    async def close(self) -> None:
        """Write what waits and a `stopped` row, end the run, close the file; at most 3 s."""
        self._closing = True
        self._wake.set()
        writer, self._writer = self._writer, None
        if writer is not None:
            _, late = await asyncio.wait({writer}, timeout=2.0)
            if late:
                if self._connection is not None:
                    self._connection.interrupt()
                writer.cancel()
                await asyncio.wait({writer}, timeout=1.0)
        self._waiters.dismiss()
        if self.backlog:
            _log.error("audit log: %d rows could not be kept: %s", self.backlog, self._degraded)
        self._lock.release()

    async def _take_lock(self) -> None:
        try:
            while not self._lock.take():
                if self._waiting is None:
                    self._waiting = f"another process writes to {self._path}; waiting for its end"
                    _log.warning("%s", self._waiting)
                await asyncio.sleep(RETRY)
        except OSError as error:
            raise refused(error, self._path) from error
        finally:
            self._waiting = None

    # The writer's task.

    async def _write(self) -> None:
        try:
            while not await self._reconnect():
                if self._closing:
                    return
                await asyncio.sleep(RETRY)
            while not self._closing or self.backlog:
                if not await self._once():
                    if self._closing:
                        return
                    await asyncio.sleep(RETRY)
            await self._stop()
        finally:
            if self._connection is not None:
                connection, self._connection = self._connection, None
                await connection.close()

    async def _establish(self) -> bool:
        """Open the file and begin the run; False when waiting may help. Raises Fatal."""
        try:
            connection = await file.connect(self._path)
        except Unavailable as error:
            self._degrade(str(error))
            return False
        start = Start(self._clock(), self._version, self._host, self._settings, self._domain)
        try:
            self._run = await connection.run(self._ledger.begin, start)
        except sqlite3.Error as error:
            await connection.close()
            explained = explain(error, self._path)
            if isinstance(explained, Fatal):
                raise explained from error
            self._degrade(str(explained))
            return False
        except BaseException:
            await connection.close()
            raise
        self._connection = connection
        self._identity = file.identity(self._path)
        self._rows += 1
        self._recover()
        return True

    async def _reconnect(self) -> bool:
        """Have a connection, with this run begun on it; False when that failed."""
        if self._connection is not None:
            return True
        try:
            if not self._run:
                return await self._establish()
            connection = await file.connect(self._path)
            try:
                await connection.run(self._ledger.adopt)
            except BaseException:
                await connection.close()
                raise
            self._connection = connection
            self._identity = file.identity(self._path)
        except sqlite3.Error as error:
            self._degrade(str(explain(error, self._path)))
            return False
        except ReactorError as error:
            self._degrade(str(error))
            return False
        return True

    async def _once(self) -> bool:
        """Commit one group, or look after the file; False when the database failed."""
        if not await self._reconnect():
            return False
        assert self._connection is not None
        try:
            if time.monotonic() >= self._look_at:
                await self._look()
            self._wake.clear()
            if not self._group:
                self._group = self._buffer.take(GROUP_ROWS, GROUP_SIZE, self._clock())
            if self._group:
                began = time.perf_counter()
                await self._connection.run(self._ledger.write, self._group)
                self._committed(time.perf_counter() - began)
            else:
                # Nothing waits to be written, so nothing else would show that it works again.
                self._recover()
            if not self._closing and not await self._sweeper.sweep(
                self._connection, self._ledger, self._clock()
            ):
                await self._idle()
        except sqlite3.Error as error:
            self._degrade(str(explain(error, self._path)))
            await self._doubt(error)
            return False
        except OSError as error:
            self._degrade(str(refused(error, self._path)))
            return False
        except ReactorError as error:
            self._degrade(str(error))
            return False
        return True

    async def _doubt(self, error: sqlite3.Error) -> None:
        """After an error that isn't about locks or room, the handle may be of no use."""
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_INTERRUPT):
            return
        if self._connection is None or file.identity(self._path) != self._identity:
            return
        connection, self._connection = self._connection, None
        await connection.close()

    async def _idle(self) -> None:
        if len(self._buffer):
            # More waits than one group holds, and who appended it has called already.
            return
        try:
            async with asyncio.timeout(min(LOOK, self._sweeper.wait)):
                await self._wake.wait()
        except TimeoutError:
            pass

    def _committed(self, seconds: float) -> None:
        count = len(self._group)
        self._settled += sum(1 for entry in self._group if entry.kind != "gap")
        self._group = []
        self._rows += count
        self._last_commit = seconds
        self._recover()
        self._waiters.durable(self._settled)
        if self._on_commit is not None:
            self._on_commit(count, seconds)

    async def _look(self) -> None:
        """A file that was deleted or replaced raises no error: write a fresh one."""
        assert self._connection is not None
        if not self._lock.held() and not self._lock.take():
            raise Unavailable(f"another process took over {self._path}")
        if file.identity(self._path) != self._identity:
            self._degrade(f"the file of audit database {self._path} is gone; writing a fresh one")
            fresh = await rescue.copy(self._connection, self._path)
            handle, self._connection = self._connection, None
            await handle.close()
            rescue.place(fresh, self._path)
            if not await self._reconnect():
                raise Unavailable(self._degraded or "the fresh file can't be opened")
        self._look_at = time.monotonic() + LOOK

    async def _stop(self) -> None:
        assert self._connection is not None
        now = self._clock()
        try:
            await self._connection.run(self._ledger.write, [Entry(kind="stopped", at=now)], now)
            self._rows += 1
        except sqlite3.Error as error:
            _log.error("audit log: %s", explain(error, self._path))

    # Degraded and back.

    def _late(self) -> None:
        self._degrade(f"audit database {self._path} took longer than a second to commit")

    def _degrade(self, reason: str) -> None:
        if self._degraded is None:
            _log.error("audit log is degraded: %s", reason)
        self._degraded = reason
        self._waiters.dismiss()

    def _recover(self) -> None:
        if self._degraded is not None:
            _log.warning("audit log is kept again", extra={"backlog": self.backlog})
            self._degraded = None
