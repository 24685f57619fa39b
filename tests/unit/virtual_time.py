"""A clock that tests move by hand."""

from __future__ import annotations

import heapq
from collections.abc import Callable


class Timer:
    """One call that lies ahead."""

    def __init__(self, call: Callable[[], None]) -> None:
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        self.call = None


class VirtualTime:
    """Monotonic seconds that pass only in `advance`, which runs the timers that fall due."""

    def __init__(self, now: float = 1000.0) -> None:
        self._now = now
        self._timers: list[tuple[float, int, Timer]] = []
        self._sequence = 0

    def now(self) -> float:
        return self._now

    def call_later(self, delay: float, call: Callable[[], None]) -> Timer:
        self._sequence += 1
        timer = Timer(call)
        heapq.heappush(self._timers, (self._now + delay, self._sequence, timer))
        return timer

    @property
    def timers(self) -> int:
        """Timers that are set and not cancelled."""
        return sum(timer.call is not None for _, _, timer in self._timers)

    def advance(self, seconds: float) -> None:
        end = self._now + seconds
        while self._timers and self._timers[0][0] <= end:
            due, _, timer = heapq.heappop(self._timers)
            self._now = max(self._now, due)
            call, timer.call = timer.call, None
            if call is not None:
                call()
        self._now = end
