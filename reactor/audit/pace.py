"""How those who read the log share a process with those who write it."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

AT_ONCE: Final = 2
"""Questions that are answered at a time: each has a thread, and all share the interpreter."""
QUIET: Final = 0.02
"""Seconds after a sync in which the next is likely: changes come in rows."""
LONGEST: Final = 0.1
"""Seconds that a reader gives way at most, however busy the writers are."""
_BREATH: Final = 0.005
"""Seconds between two steps of one reader."""


class Pace:
    """A reader begins a step once nothing is being synced, nor was a moment ago."""

    def __init__(self) -> None:
        self._since = -math.inf
        self._rested = asyncio.Event()
        self._rested.set()
        self._turns = asyncio.Semaphore(AT_ONCE)

    def started(self) -> None:
        """Something is being synced."""
        self._rested.clear()

    def rested(self) -> None:
        """Nothing is any more."""
        self._since = time.monotonic()
        self._rested.set()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """For a question: it waits for its turn."""
        async with self._turns:
            await self.give_way()
            yield

    async def rest(self) -> None:
        """Between two steps of what reads all of the log and keeps the interpreter busy with it."""
        await asyncio.sleep(_BREATH)
        await self.give_way()

    async def give_way(self) -> None:
        """Between two steps of what doesn't."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LONGEST):
                await self._quiet()

    async def _quiet(self) -> None:
        while True:
            await self._rested.wait()
            wait = self._since + QUIET - time.monotonic()
            if wait <= 0:
                return
            await asyncio.sleep(wait)
