"""Keys that wait for a worker: deduplicated, one worker per key at a time, delayed re-adds.

The rules are those of client-go's rate-limiting work queue, with one difference: an
immediate `add` overrides a delay, so that a new wish never waits for an old failure.
"""

from __future__ import annotations

import asyncio
import heapq
import random
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from typing import Generic, Protocol, TypeVar

import msgspec

K = TypeVar("K", bound=Hashable)


class Cancellable(Protocol):
    """What a timer gives back."""

    def cancel(self) -> None: ...


class Backoff(msgspec.Struct, frozen=True):
    """Full jitter: a failure waits between ``floor`` and ``base * factor**failures`` seconds."""

    base: float = 0.2
    factor: float = 2.0
    cap: float = 60.0
    floor: float = 0.005

    def delay(self, failures: int, random_: float) -> float:
        """Seconds to wait after ``failures`` earlier ones; ``random_`` is in [0, 1)."""
        # The exponent is bounded because a float overflows long before a counter does.
        longest = min(self.cap, self.base * self.factor ** min(failures, 64))
        return max(self.floor, longest * random_)


class WorkQueue(Generic[K]):
    """A queue of keys. All methods belong to one event loop; only `get` waits."""

    def __init__(
        self,
        *,
        backoff: Backoff | None = None,
        clock: Callable[[], float] = time.monotonic,
        call_later: Callable[[float, Callable[[], None]], Cancellable] | None = None,
        random_: Callable[[], float] = random.random,
    ) -> None:
        self._backoff = backoff or Backoff()
        self._clock = clock
        self._call_later = call_later
        self._random = random_
        self._ready: OrderedDict[K, float] = OrderedDict()
        self._working: set[K] = set()
        self._again: dict[K, float] = {}
        self._due: dict[K, tuple[float, int]] = {}
        # Entries that `_due` contradicts are stale: removing from a heap's middle is dear.
        self._heap: list[tuple[float, int, K]] = []
        self._sequence = 0
        self._timer: Cancellable | None = None
        self._timer_due = 0.0
        self._failures: dict[K, int] = {}
        self._waiters: deque[asyncio.Future[None]] = deque()

    def __len__(self) -> int:
        """Keys that wait for a worker now; delayed ones are not counted."""
        return len(self._ready) + len(self._again)

    @property
    def delayed(self) -> int:
        """Keys whose time has not come."""
        return len(self._due)

    @property
    def working(self) -> int:
        """Keys in the hands of a worker."""
        return len(self._working)

    @property
    def oldest_age(self) -> float:
        """Seconds that the longest-waiting key has waited; 0 when none waits."""
        oldest = min(
            min(self._ready.values(), default=float("inf")),
            min(self._again.values(), default=float("inf")),
        )
        return max(0.0, self._clock() - oldest) if len(self) else 0.0

    def add(self, key: K, at: float | None = None) -> None:
        """Hands the key out as soon as a worker is free.

        ``at`` (monotonic seconds, now by default) is when the reason arose; of several adds in
        one turn the earliest counts. Overrides a delay.
        """
        since = self._clock() if at is None else at
        self._due.pop(key, None)
        if key in self._working:
            self._again[key] = min(since, self._again.get(key, since))
        elif key in self._ready:
            self._ready[key] = min(since, self._ready[key])
        else:
            self._ready[key] = since
            self._wake()

    def add_after(self, key: K, delay: float) -> None:
        """Adds the key in ``delay`` seconds, unless it comes sooner for another reason."""
        if delay <= 0:
            self.add(key)
            return
        if key in self._ready or key in self._again:
            return
        due = self._clock() + delay
        earlier = self._due.get(key)
        if earlier is not None and earlier[0] <= due:
            return
        self._sequence += 1
        self._due[key] = (due, self._sequence)
        heapq.heappush(self._heap, (due, self._sequence, key))
        if len(self._heap) > 64 + 2 * len(self._due):
            self._compact()
        self._arm()

    async def get(self) -> tuple[K, float]:
        """Waits for a key; gives it with the monotonic time of the earliest add of this turn.

        A delayed key's time is the one at which it became due.
        """
        while not self._ready:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            try:
                await waiter
            except asyncio.CancelledError:
                if waiter in self._waiters:
                    self._waiters.remove(waiter)
                elif self._ready:
                    # We were woken for a key and will not take it: someone else must.
                    self._wake()
                raise
        key, since = self._ready.popitem(last=False)
        self._working.add(key)
        return key, since

    def done(self, key: K) -> None:
        """The worker has finished with the key; what was added meanwhile is handed out again."""
        self._working.discard(key)
        since = self._again.pop(key, None)
        if since is not None:
            self._ready[key] = since
            self._wake()

    def retry(self, key: K) -> float:
        """Counts a failure and adds the key after its backoff; gives the delay in seconds."""
        delay = self._backoff.delay(self._failures.get(key, 0), self._random())
        self.retry_in(key, delay)
        return delay

    def retry_in(self, key: K, delay: float) -> None:
        """Counts a failure and adds the key in ``delay`` seconds (a Retry-After, say)."""
        self._failures[key] = self._failures.get(key, 0) + 1
        self.add_after(key, delay)

    def forget(self, key: K) -> None:
        """Its next failure is its first again."""
        self._failures.pop(key, None)

    def failures(self, key: K) -> int:
        """How often `retry` and `retry_in` were called since the last `forget`."""
        return self._failures.get(key, 0)

    def _wake(self) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return

    def _arm(self) -> None:
        while self._heap and not self._holds(self._heap[0]):
            heapq.heappop(self._heap)
        if not self._heap:
            self._disarm()
            return
        due = self._heap[0][0]
        if self._timer is not None:
            if self._timer_due <= due:
                # It fires no later than needed; a cancel and a new one would cost more.
                return
            self._disarm()
        call_later = self._call_later or asyncio.get_running_loop().call_later
        # uvloop's timers count in milliseconds, so one may fire a little before its time.
        self._timer = call_later(max(due - self._clock(), 0.001), self._promote)
        self._timer_due = due

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _promote(self) -> None:
        self._timer = None
        now = self._clock()
        while self._heap and self._heap[0][0] <= now:
            entry = heapq.heappop(self._heap)
            if self._holds(entry):
                self.add(entry[2], entry[0])
        self._arm()

    def _compact(self) -> None:
        self._heap = [entry for entry in self._heap if self._holds(entry)]
        heapq.heapify(self._heap)

    def _holds(self, entry: tuple[float, int, K]) -> bool:
        return self._due.get(entry[2]) == entry[:2]
