"""The workers: they take keys while this process may write, and hold them while it may not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from reactor.events import Key
from reactor.handlers.ports import Queue

log = logging.getLogger(__name__)


class Onlooker(Protocol):
    """Wants to know whether any key is worked on."""

    def started(self) -> None: ...

    def rested(self) -> None: ...


class Workers:
    """``count`` keys are worked on at once, each key by one worker at a time."""

    def __init__(
        self,
        *,
        count: int,
        queue: Queue,
        reconcile: Callable[[Key, float], Awaitable[None]],
        onlooker: Onlooker,
    ) -> None:
        self.count = count
        self._queue = queue
        self._reconcile = reconcile
        self._open = asyncio.Event()
        self._busy: set[Key] = set()
        self._onlooker = onlooker
        self._idle = asyncio.Event()
        self._idle.set()

    def open(self) -> None:
        """Let keys through: the caches are synced, and the lease is ours."""
        self._open.set()

    def close(self) -> None:
        """Hold keys back: what is in flight goes on, nothing new starts."""
        self._open.clear()

    async def drain(self, timeout: float) -> None:
        """Close, and give what is in flight ``timeout`` seconds to end."""
        self.close()
        try:
            async with asyncio.timeout(timeout):
                await self._idle.wait()
        except TimeoutError:
            log.warning("%d syncs did not end within %g s", len(self._busy), timeout)

    async def run(self) -> None:
        """One worker, forever. A failure of ours on one key never touches another."""
        while True:
            key, since = await self._queue.get()
            try:
                await self._open.wait()
                self._started(key)
                await self._reconcile(key, since)
            except Exception as error:
                log.error(
                    "error syncing '%s/%s': %s: %s",
                    key.namespace,
                    key.service,
                    type(error).__name__,
                    error,
                    exc_info=log.isEnabledFor(logging.DEBUG),
                )
                self._queue.retry(key)
            finally:
                self._ended(key)
                self._queue.done(key)
            # A reconcile that finds nothing to do never waits: others must get their turn.
            await asyncio.sleep(0)

    def _started(self, key: Key) -> None:
        self._busy.add(key)
        self._idle.clear()
        self._onlooker.started()

    def _ended(self, key: Key) -> None:
        self._busy.discard(key)
        if not self._busy:
            self._idle.set()
            self._onlooker.rested()
