"""How those who read the log share a process with those who write it."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Final

from reactor.audit.trouble import Crowded

AT_ONCE: Final = 2
"""Questions that are answered at a time: each has a thread, and all share the interpreter."""
WAITING: Final = 32
"""Questions that wait for that; the next one is told to come back."""
QUIET: Final = 0.02
"""Seconds after a sync in which the next is likely: changes come in rows."""
LONGEST: Final = 0.1
"""Seconds that a question gives way at most, however busy the writers are."""
SHARE: Final = 0.4
"""Of the time, for all who read the whole log together, however busy the writers are."""
_BREATH: Final = 0.005
"""Seconds between two steps of one reader."""


class Pace:
    """A reader begins a step once nothing is being synced, nor was a moment ago."""

    def __init__(self) -> None:
        self._since = -math.inf
        self._rested = asyncio.Event()
        self._rested.set()
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        self._strides = 0

    def started(self) -> None:
        """Something is being synced."""
        self._rested.clear()

    def rested(self) -> None:
        """Nothing is any more."""
        self._since = time.monotonic()
        self._rested.set()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """For a question: it waits for its turn. Raises Crowded when too many do."""
        if self._waiting >= WAITING:
            raise Crowded(f"There are {WAITING} questions waiting already", wait=5)
        self._waiting += 1
        try:
            await self._turns.acquire()
        finally:
            self._waiting -= 1
        try:
            await self.give_way(LONGEST)
            yield
        finally:
            self._turns.release()

    @contextmanager
    def stride(self) -> Iterator[Stride]:
        """For what reads all of the log, a step at a time."""
        self._strides += 1
        try:
            yield Stride(self)
        finally:
            self._strides -= 1

    def owed(self, worked: float) -> float:
        """Seconds to give way at most after so many of work: its part of the share is kept."""
        return worked * (max(1, self._strides) / SHARE - 1)

    async def give_way(self, longest: float) -> None:
        """Wait until nothing is being synced, nor was a moment ago; so many seconds at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(longest):
                await self._quiet()

    async def _quiet(self) -> None:
        while True:
            await self._rested.wait()
            wait = self._since + QUIET - time.monotonic()
            if wait <= 0:
                return
            await asyncio.sleep(wait)


class Stride:
    """One reader of the whole log; its first step begins at once."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self.begin()

    def begin(self) -> None:
        """A step begins now: what was before it was no work."""
        self._began = time.monotonic()

    async def give_way(self) -> None:
        """Behind a step; when it returns the next one begins."""
        await self._pace.give_way(self._pace.owed(time.monotonic() - self._began))
        self.begin()

    async def rest(self) -> None:
        """The same where steps keep the interpreter busy."""
        longest = self._pace.owed(time.monotonic() - self._began)
        await asyncio.sleep(_BREATH)
        await self._pace.give_way(longest - _BREATH)
        self.begin()
