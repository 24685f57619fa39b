"""Long work in slices, so that the event loop never waits long."""

from __future__ import annotations

import asyncio
import time


class Pace:
    """Awaited between pieces of work: lets others run once a slice is used up."""

    def __init__(self, *, slice: float = 0.003) -> None:
        self._slice = slice
        self._started = time.perf_counter()

    def restart(self) -> None:
        """After a wait, when a new slice begins."""
        self._started = time.perf_counter()

    async def __call__(self) -> None:
        """After each piece of work."""
        if time.perf_counter() - self._started >= self._slice:
            await asyncio.sleep(0)
            self._started = time.perf_counter()
