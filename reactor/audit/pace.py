"""How those who read the log share a process with those who write it."""

from __future__ import annotations

import asyncio
import math
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Final, TypeVar

from reactor.audit.slots import Slots

T = TypeVar("T")

AT_ONCE: Final = 2
"""Questions that are answered at a time: each has a thread, and all share the interpreter."""
QUIET: Final = 0.02
"""Seconds after a sync in which the next is likely: changes come in rows."""
LONGEST: Final = 0.1
"""Seconds that a question gives way at most, however busy the writers are."""
SHARE: Final = 0.15
"""Of a core's time, for all who read the whole log together, however busy the writers are."""
_BREATH: Final = 0.005
"""Seconds between two steps of one reader."""


class Pace:
    """A reader begins a step once nothing is being synced, nor was a moment ago."""

    def __init__(self) -> None:
        self._since = -math.inf
        self._rested = asyncio.Event()
        self._rested.set()
        self._turns = Slots(AT_ONCE)
        self._readers = 0

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
        async with self._turns.take():
            await self._give_way(LONGEST)
            yield

    @contextmanager
    def reading(self) -> Iterator[None]:
        """For what reads all of the log, a step at a time."""
        self._readers += 1
        try:
            yield
        finally:
            self._readers -= 1

    def owed(self, worked: float) -> float:
        """Seconds that a reader gives way at most after so many of work, for its part of the share
        of a core's time.
        """
        return worked * (max(1, self._readers) / SHARE - 1)

    async def rest(self, worked: float) -> None:
        """Between two steps of what keeps the interpreter busy: the last took so many seconds."""
        await asyncio.sleep(_BREATH)
        await self._give_way(self.owed(worked) - _BREATH)

    async def give_way(self, worked: float) -> None:
        """Between two steps of what doesn't."""
        await self._give_way(self.owed(worked))

    async def _give_way(self, longest: float) -> None:
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


def measured(
    connection: sqlite3.Connection, step: Callable[[sqlite3.Connection], T]
) -> tuple[T, float]:
    """Do a step, and say how many seconds of a core's time it took: of those that pass meanwhile
    it may spend most waiting for the interpreter, in nobody's way.
    """
    began = time.thread_time()
    return step(connection), time.thread_time() - began
