"""Copies the local log into the archive, in order, beside everything else."""

from __future__ import annotations

import asyncio
import logging
import random
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from reactor.audit import engine
from reactor.audit.archive import batches, database, partitions, source
from reactor.audit.archive.database import Connection as Archive
from reactor.audit.archive.months import Month
from reactor.audit.archive.source import Place
from reactor.audit.engine import Connection
from reactor.audit.journal import microseconds
from reactor.audit.trouble import Unavailable, explain
from reactor.errors import ReactorError

PAUSE: Final = 0.1
"""Seconds between two looks: rows that come in between are shipped together."""
FIRST: Final = 0.25
LONGEST: Final = 15.0
"""Seconds between attempts while the archive can't be reached, the first and the last."""
UPKEEP: Final = 3600.0
"""Seconds between looks at which months are wanted."""
FAREWELL: Final = 1.0
"""Seconds at the end for what the last moments brought; the next start ships the rest."""
_KNOWN: Final = 20_000

_log = logging.getLogger(__name__)


class Shipper:
    """`run` it as a task; cancelling it is its end, `finish` what may follow.

    How far it is, the archive itself knows: after any failure it is asked again.
    """

    def __init__(
        self,
        *,
        archive_url: str,
        log_url: str,
        cluster: str,
        retention: float,
        clock: Callable[[], int] = microseconds,
    ) -> None:
        self._url = archive_url
        self._path: Path = engine.location(log_url)
        self._cluster = cluster
        self._number: int | None = None
        self._retention = retention
        self._clock = clock
        self._wake = asyncio.Event()
        self._place: Place | None = None
        self._origin: str | None = None
        self._known: set[tuple[bytes, Month]] = set()
        self._months: set[Month] = set()
        self._kept_up = 0.0
        self._newest = 0
        self._since: int | None = None
        self._reached: int | None = None
        self._shipped = 0
        self._lost = 0
        self._losing = 0
        self._failures = 0
        self._attempts = 0
        self._trouble: str | None = "nothing has been shipped yet"
        self._told = self._trouble

    # What others may know.

    @property
    def trouble(self) -> str | None:
        """Why nothing is shipped now, in plain words; None while it is."""
        return self._trouble

    @property
    def shipped(self) -> int:
        """Rows that this process shipped."""
        return self._shipped

    @property
    def failures(self) -> int:
        """Attempts that failed."""
        return self._failures

    @property
    def lost(self) -> int:
        """Rows that local retention removed before they were shipped."""
        return self._lost + self._losing

    @property
    def lag_rows(self) -> int:
        """Rows of the local log that aren't shipped."""
        return max(0, self._newest - (self._reached or 0))

    @property
    def lag_seconds(self) -> float:
        """How long the first of them has waited."""
        return 0.0 if self._since is None else max(0.0, (self._clock() - self._since) / 1e6)

    def remarks(self) -> list[str]:
        """What everybody may know of it, in plain words: not where the archive is."""
        found = []
        if self._trouble is not None:
            found.append(f"the archive lacks {self.lag_rows} rows: {self._told}")
        if self.lost:
            found.append(f"{self.lost} rows were removed by retention before they were archived")
        return found

    # Life.

    def committed(self, rows: int) -> None:
        """The local log has rows more."""
        self._newest += rows
        if self._since is None:
            self._since = self._clock()
        self._wake.set()

    async def run(self) -> None:
        """For ever. Nothing that fails here ends anything else."""
        while True:
            try:
                await self._look()
                async with self._connected() as archive:
                    while True:
                        await self._round(archive)
                        await self._rest()
            except (ReactorError, sqlite3.Error, *database.ERRORS) as error:
                self._failed(error)
            except Exception:
                _log.exception("archive: a fault of the program")
                self._fail("a fault of the program; its log says more")
            await asyncio.sleep(self._backoff())

    async def finish(self) -> None:
        """Ship what came since, if the archive was there: a volume may go with its pod."""
        if self._trouble is not None:
            return
        try:
            async with asyncio.timeout(FAREWELL), self._connected() as archive:
                await self._round(archive)
        except (ReactorError, sqlite3.Error, *database.ERRORS) as error:
            self._failed(error)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Archive]:
        archive = await database.connect(self._url)
        # An archive that goes may come back as an older one: don't wait for the next row to see.
        archive.add_termination_listener(self._gone)
        try:
            # Whatever was known may be so no longer: it may be another archive, or an older one.
            self._place = self._number = None
            self._known.clear()
            self._months.clear()
            self._kept_up = 0.0
            await database.ready(archive, self._url)
            yield archive
        finally:
            # A server that hangs must not hold us up.
            archive.terminate()

    def _gone(self, archive: Archive) -> None:
        self._wake.set()

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[Connection]:
        log = await Connection.open(engine.reader(self._path))
        try:
            yield log
        finally:
            await log.close()

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(UPKEEP):
                await self._wake.wait()
        except TimeoutError:
            return
        await asyncio.sleep(PAUSE)

    def _backoff(self) -> float:
        ceiling = min(LONGEST, FIRST * 2.0 ** min(self._attempts, 20))
        self._attempts += 1
        return ceiling * random.uniform(0.5, 1.0)

    def _failed(self, error: BaseException) -> None:
        if isinstance(error, sqlite3.Error):
            error = explain(error, self._path)
        elif not isinstance(error, ReactorError):
            error = database.explain(error, self._url)
        self._fail(str(error), told=error.told if isinstance(error, database.Away) else None)

    def _fail(self, reason: str, *, told: str | None = None) -> None:
        self._failures += 1
        self._told = told or reason
        if self._trouble != reason:
            _log.warning("nothing is shipped now: %s", reason, extra={"lag": self.lag_rows})
        self._trouble = reason

    # Shipping.

    async def _round(self, archive: Archive) -> None:
        """Ship all that the local log has now."""
        if archive.is_closed():
            raise database.Away(self._url, "broke the connection off")
        if self._number is None:
            self._number = await batches.join(archive, self._cluster, self._retention)
        cluster = self._number
        await self._upkeep(archive)
        async with self._opened() as log:
            batch = await self._next(archive, cluster, log)
            while batch is not None:
                batch = await self._ship(archive, cluster, batch, log)
            self._saw(await log.run(source.state, self._reached or 0))
        self._well()

    async def _next(self, archive: Archive, cluster: int, log: Connection) -> source.Batch | None:
        self._wake.clear()
        for _ in range(3):
            if self._place is None:
                await self._resume(archive, cluster, log)
            try:
                found: source.Batch | None = await log.run(source.batch, self._place, self._known)
            except LookupError:
                # Replaced by another file, or cut by retention.
                self._place = None
            else:
                return found
        raise Unavailable("the local log changes faster than it can be read")

    async def _ship(
        self, archive: Archive, cluster: int, batch: source.Batch, log: Connection
    ) -> source.Batch | None:
        """Ship one batch; the next one, which is read while the server is busy with this."""
        if len(self._known) > _KNOWN:
            self._known.clear()
        # After a failure nothing is known any more, so they may be added before they are there.
        self._known |= batch.known
        self._wake.clear()
        reading = asyncio.ensure_future(log.run(source.batch, batch.last, self._known))
        try:
            await self._write(archive, cluster, batch)
        finally:
            await asyncio.wait({reading})
            missed = reading.exception()
        if isinstance(missed, LookupError):
            self._place = None
            return await self._next(archive, cluster, log)
        return reading.result()

    async def _write(self, archive: Archive, cluster: int, batch: source.Batch) -> None:
        if missing := batch.months - self._months:
            await partitions.make(archive, missing)
            self._months |= missing
        if self._origin is None:
            self._origin = batch.entries[0][1]
        await batches.write(archive, cluster, self._origin, batch)
        self._place = batch.last
        self._reached = batch.last.position
        self._shipped += len(batch.entries)
        self._since = batch.entries[-1][3]
        self._well()

    async def _resume(self, archive: Archive, cluster: int, log: Connection) -> None:
        """Find the first row that the archive lacks, and record those that are gone for good."""
        held = await log.run(source.held)
        runs = [*held.runs, *([] if held.cut is None else [held.cut])]
        found = await batches.shipped(archive, cluster, runs)
        self._origin = found.log
        place = Place(0, "", 0)
        run = ""
        for run, newest in held.runs.items():
            shipped = found.runs.get(run, 0)
            place = await log.run(source.before, run, shipped)
            if newest > shipped:
                break
        reached = found.position if found.log is not None else self._reached or 0
        self._losing = 0
        if place.run == "" and place.position > reached:
            await self._lose(archive, cluster, run, place.position, place.position - reached)
        self._place = place
        self._reached = place.position

    async def _lose(
        self, archive: Archive, cluster: int, run: str, position: int, rows: int
    ) -> None:
        if await batches.lose(archive, cluster, run, position + 1, rows, self._clock()):
            self._lost += rows
            _log.error(
                "rows were removed from the local log before they were shipped",
                extra={"rows": rows, "run": run, "position": position + 1},
            )

    async def _upkeep(self, archive: Archive) -> None:
        if time.monotonic() < self._kept_up:
            return
        now = self._clock()
        month = Month.of(now)
        await partitions.make(archive, (month, month.next))
        for old in await partitions.drop(archive, now):
            _log.info("dropped a month of the archive", extra={"month": str(old)})
            self._months.discard(old)
        self._kept_up = time.monotonic() + UPKEEP

    # How it stands.

    async def _look(self) -> None:
        """See how the local log stands, whether the archive can be reached or not."""
        async with self._opened() as log:
            self._saw(await log.run(source.state, self._reached or 0))

    def _saw(self, state: source.State) -> None:
        if self._reached is None:
            # What was gone before we first saw the log isn't lost: nobody asked for it.
            self._reached = max(0, state.oldest - 1)
        self._newest, self._since = state.newest, state.waiting_since
        self._losing = max(0, state.oldest - 1 - self._reached)

    def _well(self) -> None:
        if self._trouble is not None:
            _log.info("rows are shipped to %s", database.place(self._url))
        self._trouble = None
        self._attempts = 0
