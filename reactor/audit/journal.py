"""The one writer of the audit log."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

import msgspec

from reactor.audit import engine, fresh
from reactor.audit.buffer import Bounds, Buffer
from reactor.audit.engine import Connection
from reactor.audit.entry import Entry
from reactor.audit.keeper import LOOK, Keeper
from reactor.audit.ledger import Start
from reactor.audit.recall import Recollection, recollect
from reactor.audit.retention import Retention, Sweeper
from reactor.audit.row import Row
from reactor.audit.trouble import Unavailable, explain
from reactor.audit.waiters import Waiters
from reactor.errors import ReactorError

GROUP_ROWS: Final = 256
GROUP_SIZE: Final = 2 << 20
"""One transaction holds at most so much: enough to share a sync, short enough to be quick."""
UNMERGED: Final = 200
"""Rows after which a quiet second is used to bring the WAL into the file."""
LINGER: Final = 0.02
"""Seconds that a row which nobody waits for waits for company, and"""
BRIEFLY: Final = 0.005
"""while somebody follows the log."""
RETRY: Final = 0.25
"""Seconds between attempts on a database that failed."""
GRACE: Final = 3.0
"""Seconds that `open` waits for a locked or full database before serving goes on without it."""

CLUSTER: Final = "cluster-uid"
"""Beside the flags in a run's settings: which cluster it watched."""

_log = logging.getLogger(__name__)


def microseconds() -> int:
    """The wall clock: microseconds since 1970 UTC."""
    return time.time_ns() // 1000


class Followers(Protocol):
    """Want to see each row once it is durable."""

    @property
    def followed(self) -> bool:
        """Whether there is anybody."""
        ...

    def committed(self, rows: Sequence[Row]) -> None:
        """Rows are durable; without any when they have to be read."""
        ...


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
        followers: Followers | None = None,
        bounds: Bounds | None = None,
    ) -> None:
        self._keeper = Keeper(engine.location(url), self._start)
        self._version = version
        self._host = host
        self._settings = dict(settings)
        self._domain = cluster_domain
        self._clock = clock
        self._on_commit = on_commit
        self._followers = followers
        self._bounds = bounds or Bounds()
        self._buffer = Buffer(self._bounds)
        self._group: list[Entry] = []
        self._sweeper = Sweeper(retention)
        self._waiters = Waiters(self._late)
        self._wake = asyncio.Event()
        self._alarm: asyncio.TimerHandle | None = None
        self._writer: asyncio.Task[None] | None = None
        self._closing = False
        self._waiting: str | None = None
        self._degraded: str | None = None
        self._appended = 0
        self._settled = 0
        self._rows = 0
        self._gaps = 0
        self._unmerged = 0

    # What others may know.

    @property
    def path(self) -> Path:
        """The database's file."""
        return self._keeper.path

    @property
    def run(self) -> str:
        """The id of this run (UUIDv7); "" until the file is open."""
        return self._keeper.ledger.run

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
        return self._rows + bool(self.run)

    @property
    def gaps(self) -> int:
        """Rows dropped by this process."""
        return self._gaps

    # Life.

    async def open(self, cluster: str = "") -> None:
        """Take the lock (waiting for its holder), open the file, migrate it, begin the run.

        ``cluster`` is the uid that the run keeps among its settings, unless nothing told it.

        A locked or full database doesn't hold up the start for longer than 3 s: the journal is
        degraded then, and goes on trying. Raises Fatal for what waiting can't mend.
        """
        if cluster:
            self._settings[CLUSTER] = cluster
        try:
            await self._keeper.lock(self._wait)
            self._waiting = None
            given_up = time.monotonic() + GRACE
            while not await self._begun():
                if time.monotonic() >= given_up:
                    break
                await asyncio.sleep(RETRY)
        except BaseException:
            self._keeper.release()
            raise
        finally:
            self._waiting = None
        self._writer = asyncio.create_task(self._write(), name="journal")

    def append(self, entry: Entry) -> None:
        """Take a row; never blocks. Rows keep their order; what doesn't fit is counted."""
        reason = self._degraded or "rows came faster than the database took them"
        if self._buffer.append(entry, reason):
            self._appended += 1
        else:
            self._gaps += 1
        # An observation is followed by its decision within a millisecond: a row that nobody waits
        # for waits for one that somebody does, so that one sync serves both.
        if len(self._buffer) >= GROUP_ROWS:
            self._wake.set()
        elif self._alarm is None:
            wait = BRIEFLY if self._followed() else LINGER
            self._alarm = asyncio.get_running_loop().call_later(wait, self._ring)

    def _followed(self) -> bool:
        return self._followers is not None and self._followers.followed

    def _ring(self) -> None:
        self._alarm = None
        self._wake.set()

    async def commit(self) -> bool:
        """Wait until everything appended so far is durable.

        False, at once, while the log is degraded; False after a second without any commit.
        """
        if self._degraded is not None or self._closing:
            return False
        if self._settled >= self._appended:
            return True
        self._wake.set()
        return await self._waiters.wait(self._appended)

    async def recall(self) -> Recollection:
        """What the log knows from earlier runs; nothing, and ``known`` False, if it can't say."""
        try:
            reading = await Connection.open(engine.reader(self.path))
            try:
                return await reading.run(recollect, self.run)
            finally:
                await reading.close()
        except sqlite3.Error as error:
            _log.warning("audit log can't be read: %s", explain(error, self.path))
            return Recollection(known=False)

    async def close(self) -> None:
        """Write what waits and a `stopped` row, end the run, close the file; at most 3 s."""
        self._closing = True
        self._wake.set()
        writer, self._writer = self._writer, None
        if writer is not None:
            _, late = await asyncio.wait({writer}, timeout=2.0)
            if late:
                self._keeper.interrupt()
                writer.cancel()
                await asyncio.wait({writer}, timeout=1.0)
        self._waiters.dismiss()
        if self.backlog:
            _log.error("audit log: %d rows could not be kept: %s", self.backlog, self._degraded)
        self._keeper.release()

    def _wait(self, reason: str) -> None:
        self._waiting = reason
        _log.warning("%s", reason)

    def _start(self) -> Start:
        settings = msgspec.json.encode(self._settings, order="sorted").decode()
        return Start(self._clock(), self._version, self._host, settings, self._domain)

    # The writer's task.

    async def _begun(self) -> bool:
        """Open the file and begin the run; False when waiting may help. Raises Fatal."""
        try:
            await self._keeper.hold()
        except Unavailable as error:
            self._degrade(str(error))
            return False
        self._recover()
        return True

    async def _write(self) -> None:
        try:
            while not self._closing or self.backlog:
                try:
                    await self._once()
                except ReactorError as error:
                    self._degrade(str(error))
                    if self._closing:
                        return
                    await asyncio.sleep(RETRY)
            await self._stop()
        finally:
            await self._keeper.close()

    async def _once(self) -> None:
        """Commit one group, sweep a little, or wait for work."""
        keeper = self._keeper
        await keeper.hold()
        if keeper.lost():
            self._degrade(f"the file of audit database {self.path} is gone; writing a fresh one")
            await keeper.restore()
        self._wake.clear()
        if not self._group:
            self._group = self._take()
        if self._group:
            began = time.perf_counter()
            rows: Sequence[Row] = ()
            if self._followed():
                # Where they lie now, they take microseconds to read.
                rows = await keeper.run(fresh.written, keeper.ledger, self._group)
            else:
                await keeper.run(keeper.ledger.write, self._group)
            self._committed(time.perf_counter() - began)
            if self._followers is not None:
                self._followers.committed(rows)
        else:
            # Nothing waits to be written, so nothing else would show that it works again.
            self._recover()
        if self._closing:
            return
        before = keeper.ledger.tail
        swept = await self._sweeper.sweep(keeper, self._clock())
        if self._followers is not None and keeper.ledger.tail != before:
            self._followers.committed(())
        if not swept and not self._pressing():
            await self._idle()

    def _take(self) -> list[Entry]:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        return self._buffer.take(GROUP_ROWS, GROUP_SIZE, self._clock())

    def _pressing(self) -> bool:
        """Whether what is in the buffer should be committed without waiting for company."""
        return bool(self._waiters) or len(self._buffer) >= GROUP_ROWS

    async def _idle(self) -> None:
        try:
            async with asyncio.timeout(min(LOOK, self._sweeper.wait)):
                await self._wake.wait()
        except TimeoutError:
            if self._unmerged >= UNMERGED:
                # While nobody waits, so that it needn't happen in somebody's commit.
                self._unmerged = 0
                await self._keeper.run(_checkpoint)

    def _committed(self, seconds: float) -> None:
        count = len(self._group)
        self._settled += sum(1 for entry in self._group if entry.kind != "gap")
        self._group = []
        self._rows += count
        self._unmerged += count
        self._recover()
        self._waiters.durable(self._settled)
        if self._on_commit is not None:
            self._on_commit(count, seconds)

    async def _stop(self) -> None:
        now = self._clock()
        try:
            await self._keeper.run(self._keeper.ledger.write, [Entry(kind="stopped", at=now)], now)
            self._rows += 1
        except ReactorError as error:
            _log.error("audit log: %s", error)

    # Degraded and back.

    def _late(self) -> None:
        self._degrade(f"audit database {self.path} took longer than a second to commit")

    def _degrade(self, reason: str) -> None:
        if self._degraded is None:
            _log.error("audit log is degraded: %s", reason)
        self._degraded = reason
        self._waiters.dismiss()

    def _recover(self) -> None:
        if self._degraded is not None:
            _log.warning("audit log is kept again", extra={"backlog": self.backlog})
            self._degraded = None


def _checkpoint(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
