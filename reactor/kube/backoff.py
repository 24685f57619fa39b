"""How long to wait before the next try: exponential, with full jitter."""

from __future__ import annotations

from collections.abc import Callable


class Backoff:
    """Waits between 0 and ``base * 2**n`` seconds, never above ``cap``."""

    def __init__(self, *, base: float, cap: float, random: Callable[[], float]) -> None:
        self._base = base
        self._cap = cap
        self._random = random
        self._failures = 0

    @property
    def failures(self) -> int:
        """How many waits were asked for since the last reset."""
        return self._failures

    def next(self) -> float:
        """Seconds to wait now."""
        ceiling = min(self._cap, self._base * float(2 ** min(self._failures, 30)))
        self._failures += 1
        return ceiling * self._random()

    def reset(self) -> None:
        """After a success."""
        self._failures = 0
