"""Token buckets: client-go's spam filter for Events, and a plain rate."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable

_KEYS = 4096  # as client-go's cache; a key forgotten starts with a full bucket again
_WHOLE = 0.999  # of a token: clocks round, and a wait for the rest would never end


class Bucket:
    """``burst`` at once, then ``rate`` a second."""

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, *, burst: int, rate: float, now: float) -> None:
        self._burst = burst
        self._rate = rate
        self._tokens = float(burst)
        self._at = now

    def wait(self, now: float) -> float:
        """Takes a token; 0, or how many seconds until there is one (then none is taken)."""
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens >= _WHOLE:
            self._tokens -= 1.0
            return 0.0
        return (1.0 - self._tokens) / self._rate


class SpamFilter:
    """One bucket per key: 25 at once, then one in five minutes."""

    def __init__(
        self, *, clock: Callable[[], float], burst: int = 25, rate: float = 1 / 300
    ) -> None:
        self._clock = clock
        self._burst = burst
        self._rate = rate
        self._buckets: OrderedDict[Hashable, Bucket] = OrderedDict()

    def lets(self, key: Hashable) -> bool:
        """Whether one more may pass now."""
        now = self._clock()
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = Bucket(burst=self._burst, rate=self._rate, now=now)
            if len(self._buckets) > _KEYS:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(key)
        return not bucket.wait(now)
