"""Starts the parts in order and stops them in reverse.

Order: journal, admin port, reflectors, first sync, lease, settling of what a crash left open,
workers.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import cast

from reactor.audit.query.endings import last_ends
from reactor.bus import Bus
from reactor.errors import ReactorError
from reactor.events import Key, Outcome
from reactor.handlers.overview import Ending, alike
from reactor.handlers.recall import Known, recall
from reactor.handlers.settle import settle
from reactor.kube.cluster import cluster_uid
from reactor.parts import Parts
from reactor.settings import Settings
from reactor.tasks import Tasks

log = logging.getLogger(__name__)

DRAIN = 3.0
"""Seconds that writes in flight may take at the end; five in all is what a pod gets at least."""
_STOOD_BY = 1.0
_PATIENCE = 0.5
"""Seconds that the API server has to say which cluster it is: the log's start waits for it."""
_SWITCH = 0.001
"""Seconds that the journal's thread may keep the interpreter from the loop; Python has 5 ms."""
_GENERATIONS = (50_000, 20, 100)


async def run(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT; raises Fatal for what someone has to mend first."""
    # The log tells who did what: it is for this user and, on a volume, for the pod's group.
    os.umask(0o027)
    sys.setswitchinterval(_SWITCH)
    gc.disable()  # until `_calm_collector`: nearly all that the first lists bring stays
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    daemon = Daemon(settings)
    life = loop.create_task(daemon.live(), name="life")
    stopping = loop.create_task(stop.wait(), name="signals")
    try:
        await asyncio.wait({life, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if life.done():
            life.result()
    finally:
        for task in (life, stopping):
            task.cancel()
        await asyncio.gather(life, stopping, return_exceptions=True)
        await daemon.stop()


class Daemon:
    """The whole program in one event loop. `start` once, `stop` once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stops: list[Callable[[], Awaitable[None]]] = []
        self._tasks = Tasks()
        self._synced = asyncio.Event()
        self._working = asyncio.Event()
        self.parts = Parts(settings, self)

    @property
    def bus(self) -> Bus:
        """Where everything that happens passes."""
        return self.parts.bus

    @property
    def port(self) -> int:
        """The admin port, once it is bound."""
        return self.parts.server.port

    def reasons(self) -> Sequence[str]:
        """Why the process isn't ready, in plain words; empty when it is."""
        parts = self.parts
        journal = parts.journal
        found = [journal.waiting] if journal.waiting else []
        if not journal.run and not found:
            found.append(f"the audit log isn't open yet: {journal.degraded or 'opening it'}")
        elif journal.degraded:
            found.append(f"the audit log isn't kept now: {journal.degraded}")
        refused = [right for right in parts.connection.permissions.missing() if not right.optional]
        found += map(str, refused)
        named = {right.resource for right in refused}
        for name, part in parts.reflectors:
            if name not in named and (trouble := part.health.unready()):
                found.append(trouble)
        if "leases" not in named and (trouble := parts.lease.unready()):
            found.append(trouble)
        return found

    def remarks(self) -> Sequence[str]:
        """What doesn't work although the process is ready, in plain words."""
        found = [str(right) for right in self.parts.connection.permissions.missing()]
        if (shipper := self.parts.shipper) is not None:
            found += shipper.remarks()
        return found

    async def live(self) -> None:
        """Start, and return or raise only when a part has ended that must not."""
        await self.start()
        self._tasks.spawn(self._calm(), "calm")
        await self._tasks.failed

    async def _calm(self) -> None:
        await self._synced.wait()
        _calm_collector()

    async def working(self) -> None:
        """Wait until the workers take keys: synced, leading, settled."""
        await self._working.wait()

    async def start(self) -> None:
        """Bind the admin port and begin; the rest goes on by itself, see `working`.

        Raises Fatal for a used port, or a log that can't be kept.
        """
        settings, parts = self._settings, self.parts
        log.info("Using cluster domain: %s", settings.cluster_domain)
        log.info("Starting SMI Controller")
        self._stops.append(parts.connection.close)
        if parts.shipper is not None and parts.archive is not None:
            self._stops.append(parts.archive.close)
            self._stops.append(parts.shipper.finish)
        opening = asyncio.get_running_loop().create_task(self._open(), name="open journal")
        self._stops.append(parts.journal.close)
        try:
            # In the order of the guide's log, though the lists themselves come after the journal.
            log.info("Waiting for informer caches to sync")
            await parts.server.start()
            # Which port it is may have been left to the system.
            host = settings.metrics_addr.rpartition(":")[0]
            log.info("starting admin server on %s:%d", host, parts.server.port)
            self._stops.append(parts.server.stop)
            # Not before the log is ours: another process may still be writing to it.
            await opening
        finally:
            opening.cancel()
            await asyncio.gather(opening, return_exceptions=True)
        self._stops.append(self._tasks.cancel)
        self._tasks.spawn(parts.feed.run(), "follow the log")
        if parts.shipper is not None:
            self._tasks.spawn(parts.shipper.run(), "ship the log")
        self._tasks.spawn(self._begin(), "begin")

    async def _open(self) -> None:
        """Open the journal; each run tells of which cluster it is, if that can be learnt."""
        parts = self.parts
        await parts.journal.open(await cluster_uid(parts.connection, patience=_PATIENCE))

    async def _begin(self) -> None:
        """First sync, lease, settling, workers."""
        parts = self.parts
        known = await self._recall()
        for name, reflector in parts.reflectors[:-1]:
            self._tasks.spawn(reflector.run(), f"watch {name}")
        for _, reflector in parts.reflectors[:-1]:
            await reflector.synced()
        # Profiles are there before the first split is, so that no split meets a half-full store.
        self._tasks.spawn(parts.split_reflector.run(), "watch trafficsplits")
        await parts.split_reflector.synced()
        self._tasks.spawn(parts.announcer.run(), "send events")
        self._tasks.spawn(parts.orphans.run(), "second looks")
        log.info("Starting workers")
        for number in range(parts.workers.count):
            self._tasks.spawn(parts.workers.run(), f"worker {number}")
        log.info("Started workers")
        self._tasks.spawn(parts.indexer.run(), "index the log")
        self._tasks.spawn(self._remember(), "read how syncs ended")
        if self._settings.leader_elect:
            leading = self._tasks.spawn(self._lead(known), "lead")
            self._stops.append(partial(self._resign, leading))
        else:
            await self._take_over(known)
        self._synced.set()

    async def _recall(self) -> Known:
        parts = self.parts
        found = await parts.journal.recall()
        known = recall(found, memory=parts.memory, domain=self._settings.cluster_domain)
        parts.splits.seed(known.splits)
        parts.profiles.seed(known.profiles)
        parts.scheduler.adopt(known.splits)
        parts.recorder.follow(known.profiles)
        return known

    async def _remember(self) -> None:
        """Tell the overview how earlier syncs ended, beside what happens now."""
        splits = self.parts.splits.values()
        services = {(split.meta.namespace, split.service or "") for split in splits}
        try:
            async for ends in last_ends(
                self._settings.audit_url, sorted(services), alike=alike, pace=self.parts.pace
            ):
                for end in ends:
                    self.parts.overview.recall(
                        Key(end.namespace, end.service),
                        Ending(
                            outcome=cast(Outcome, end.outcome),
                            reconcile=end.reconcile,
                            at=end.at,
                            since=end.since,
                            seconds=end.seconds,
                            message=end.message,
                            winner=end.winner,
                        ),
                    )
        except ReactorError as error:
            log.warning("could not read how earlier syncs ended: %s", error)

    async def _lead(self, known: Known) -> None:
        """Hold the lease, and with it the right to write; wait for it again when it is lost."""
        parts = self.parts
        clock = asyncio.get_running_loop().time
        led = False
        while True:
            asked = clock()
            await parts.lease.acquire()
            if led or clock() - asked > _STOOD_BY:
                # Whoever held it may have written what our watches haven't shown yet.
                await self._look_afresh()
            await self._take_over(known)
            known.left_open.clear()
            await parts.lease.lost.wait()
            parts.workers.close()
            log.warning("lost the lease: this adaptor stands by")
            led = True

    async def _resign(self, leading: asyncio.Task[None]) -> None:
        # First nobody who would take the lease again, then the lease.
        leading.cancel()
        await asyncio.gather(leading, return_exceptions=True)
        await self.parts.lease.release()

    async def _look_afresh(self) -> None:
        for name, reflector in self.parts.reflectors:
            try:
                await reflector.relist()
            except ReactorError as error:
                # The watch goes on, and each write names the version it was decided on.
                log.warning("could not list %s afresh: %s", name, error)

    async def _take_over(self, known: Known) -> None:
        parts = self.parts
        settle(
            known.left_open,
            journal=parts.journal,
            profiles=parts.profiles,
            profile_name=parts.situations.profile_name,
        )
        for key in parts.scheduler.everything():
            parts.queue.add(key)
        parts.workers.open()
        self._working.set()

    async def stop(self) -> None:
        """Let writes in flight end, give the lease back, and close everything in reverse."""
        await self.parts.workers.drain(DRAIN)
        while self._stops:
            await self._stops.pop()()
        log.info("Shutting down workers")


def _calm_collector() -> None:
    """Keep the cyclic collector from stopping the loop: what is there now stays for good, and
    what is free goes back to the system.

    The stores' objects hold no cycles; a full collection of them took 39 ms at 5,000 splits.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GENERATIONS)
    gc.enable()
    # What the first lists took for a moment: glibc would keep it. Other C libraries have no such
    # function.
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
