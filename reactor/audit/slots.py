"""How many are served at a time, and how many may wait for that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from reactor.audit.trouble import Crowded

WAITING: Final = 32
"""Questions that wait; the next one is told to come back,"""
_AGAIN: Final = 5
"""in so many seconds."""


class Slots:
    """``most`` at a time, each in its turn."""

    def __init__(self, most: int) -> None:
        self._free = asyncio.Semaphore(most)
        self._waiting = 0

    @asynccontextmanager
    async def take(self, *, patience: float | None = None) -> AsyncIterator[None]:
        """Hold one. Raises Crowded when too many wait for one, or it took so many seconds."""
        if self._free.locked() and self._waiting >= WAITING:
            raise Crowded(f"There are {WAITING} questions waiting already", wait=_AGAIN)
        self._waiting += 1
        try:
            async with asyncio.timeout(patience):
                await self._free.acquire()
        except TimeoutError:
            raise Crowded("Others take long to be answered", wait=_AGAIN) from None
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._free.release()
