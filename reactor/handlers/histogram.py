"""Durations counted by bucket."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence


class Histogram:
    """Counts of seconds by upper bound.

    prometheus-client's own takes a lock for each value; all of ours are counted and read in one
    event loop, and this costs a fifth.
    """

    __slots__ = ("_bounds", "_counts", "_sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(self._bounds) + 1)
        self._sum = 0.0

    def observe(self, seconds: float) -> None:
        """Count one duration."""
        self._counts[bisect_left(self._bounds, seconds)] += 1
        self._sum += seconds

    @property
    def sum(self) -> float:
        """Seconds in all."""
        return self._sum

    def buckets(self) -> list[tuple[str, float]]:
        """Return (upper bound, count up to it) pairs, the last for +Inf."""
        pairs: list[tuple[str, float]] = []
        total = 0
        for bound, count in zip((*map(str, self._bounds), "+Inf"), self._counts, strict=True):
            total += count
            pairs.append((bound, float(total)))
        return pairs
