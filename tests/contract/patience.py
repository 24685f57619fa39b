"""Time as the second looks see it: an hour passes when the test says so."""

from __future__ import annotations

import asyncio

from reactor.handlers.orphans import SECOND_LOOK, Orphans
from tests.contract.waiting import PATIENCE


class Patience:
    """Takes the place of the clock by which ``orphans`` waits between two lists."""

    def __init__(self, orphans: Orphans) -> None:
        self._now = 0.0
        self._due: float | None = None
        self._changed = asyncio.Condition()
        orphans._clock = lambda: self._now
        orphans._sleep = self._sleep

    async def _sleep(self, seconds: float) -> None:
        async with self._changed:
            self._due = self._now + seconds
            self._changed.notify_all()
            await self._changed.wait_for(lambda: self._now >= (self._due or 0.0))
            self._due = None

    async def wanted(self, timeout: float = PATIENCE) -> None:
        """Wait until a second look is being waited for."""
        async with asyncio.timeout(timeout), self._changed:
            await self._changed.wait_for(lambda: self._due is not None)

    async def pass_by(self, seconds: float = SECOND_LOOK) -> None:
        """Let so much time pass, once a second look is being waited for."""
        await self.wanted()
        async with self._changed:
            self._now += seconds
            self._changed.notify_all()
