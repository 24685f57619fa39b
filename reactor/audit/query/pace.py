"""How those who read the log share a process with those who write it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

AT_ONCE: Final = 2
"""Questions that are answered at a time: each has a thread, and all share the interpreter."""
LONGEST: Final = 0.05
"""Seconds that a reader gives way at most, however busy the writers are."""
_BREATH: Final = 0.005
"""Seconds between two steps of one reader."""


class Pace:
    """A reader begins a step once ``idle`` is set: what is being synced comes first."""

    def __init__(self, *, idle: asyncio.Event | None = None) -> None:
        self._idle = idle
        self._turns = asyncio.Semaphore(AT_ONCE)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """For a question: it waits for its turn."""
        async with self._turns:
            await self._give_way()
            yield

    async def rest(self) -> None:
        """Between two steps of what reads all of the log."""
        await asyncio.sleep(_BREATH)
        await self._give_way()

    async def _give_way(self) -> None:
        if self._idle is not None and not self._idle.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(LONGEST):
                    await self._idle.wait()
