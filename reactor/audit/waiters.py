"""Callers that wait until what they appended is durable."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

PATIENCE: Final = 1.0
"""Seconds without any commit after which nobody waits any longer."""
LONGEST: Final = 5.0
"""Seconds that anybody waits at most, however well the commits go on."""


class Waiters:
    """A queue of futures by the number of rows that has to be durable first.

    ``late`` is called when the one that waits longest has waited too long.
    """

    def __init__(self, late: Callable[[], None]) -> None:
        self._late = late
        self._waiting: deque[tuple[int, float, asyncio.Future[bool]]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._progress = 0.0

    def __len__(self) -> int:
        return len(self._waiting)

    async def wait(self, rows: int) -> bool:
        """Wait for ``rows`` in all; whether they are durable now."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[bool] = loop.create_future()
        now = loop.time()
        self._waiting.append((rows, now, future))
        if self._timer is None:
            self._timer = loop.call_at(now + PATIENCE, self._check)
        return await future

    def durable(self, rows: int) -> None:
        """That many are on disk: a commit came through."""
        waiting = self._waiting
        while waiting and waiting[0][0] <= rows:
            _settle(waiting.popleft()[2], True)
        if waiting:
            self._progress = asyncio.get_running_loop().time()
        elif self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def dismiss(self) -> None:
        """Nobody waits any longer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiting:
            _settle(self._waiting.popleft()[2], False)

    def _check(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        if not self._waiting:
            return
        since = self._waiting[0][1]
        due = min(max(since, self._progress) + PATIENCE, since + LONGEST)
        if loop.time() < due:
            self._timer = loop.call_at(due, self._check)
        else:
            self._late()


def _settle(future: asyncio.Future[bool], result: bool) -> None:
    if not future.done():
        future.set_result(result)
