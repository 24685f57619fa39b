"""Second looks: a split missing from one list alone is no proof that it is gone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from reactor.errors import ReactorError
from reactor.events import Key
from reactor.handlers.memory import Memory

log = logging.getLogger(__name__)

SECOND_LOOK = 60.0
"""Seconds between the list that shows no split and the one that has to agree."""


class Adder(Protocol):
    def add(self, key: Key) -> None: ...


class Orphans:
    """Collects doubted keys, lists the splits again after 60 s, and confirms what still lacks."""

    def __init__(
        self,
        *,
        memory: Memory,
        queue: Adder,
        relist: Callable[[], Awaitable[None]],
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._memory = memory
        self._queue = queue
        self._relist = relist
        self._clock = clock
        self._sleep = sleep
        self._since: dict[Key, float] = {}
        self._news = asyncio.Event()

    def doubt(self, key: Key) -> None:
        """A profile of ours without a split: to be looked at again in 60 s."""
        if key not in self._since:
            self._since[key] = self._clock()
            self._news.set()

    async def run(self) -> None:
        """Forever."""
        while True:
            await self._news.wait()
            self._news.clear()
            while self._since:
                due = min(self._since.values()) + SECOND_LOOK
                await self._sleep(max(0.0, due - self._clock()))
                await self._look()

    async def _look(self) -> None:
        now = self._clock()
        ripe = [key for key, since in self._since.items() if since + SECOND_LOOK <= now + 0.001]
        try:
            await self._relist()
        except ReactorError as error:
            log.warning("could not list trafficsplits a second time: %s", error)
            for key in ripe:
                self._since[key] = now
            return
        for key in ripe:
            del self._since[key]
            # Where other splits of the service stand, they are what is listed twice now.
            self._memory.confirm_absence(key)
            self._queue.add(key)
