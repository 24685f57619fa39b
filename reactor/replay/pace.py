"""When the next step is done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from reactor.replay.step import Step


class Pace(Protocol):
    """Holds a step back until it is its turn."""

    async def turn(self, step: Step) -> None:
        """Returns when it is."""
        ...


class Recorded:
    """As far apart as they were recorded, or ``speed`` times as fast."""

    def __init__(self, speed: float, *, clock: Callable[[], float]) -> None:
        self._speed = speed
        self._clock = clock
        self._origin: tuple[int, float] | None = None

    async def turn(self, step: Step) -> None:
        if self._origin is None:
            self._origin = step.at, self._clock()
        first, began = self._origin
        due = began + (step.at - first) / 1e6 / self._speed
        await asyncio.sleep(max(0.0, due - self._clock()))


class Asked:
    """Whenever someone says so."""

    def __init__(self, ask: Callable[[Step], Awaitable[None]]) -> None:
        self._ask = ask

    async def turn(self, step: Step) -> None:
        await self._ask(step)
