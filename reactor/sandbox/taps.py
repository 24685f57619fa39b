"""Taps of the fault script: they bend the events of a resource's watches."""

from __future__ import annotations

import asyncio

from reactor.sandbox.counted import Counted
from reactor.sandbox.watch import Cut, Watch


class Tap(Counted):
    """Bends the events of a resource's watches until it is lifted."""

    def __init__(self, resource: str) -> None:
        super().__init__()
        self.resource = resource
        self.lifted = False

    def lift(self) -> None:
        self.lifted = True

    def take(self, watch: Watch, line: bytes) -> list[bytes | Cut]:
        """The items to send now in place of `line`."""
        raise NotImplementedError


class HeldEvents(Tap):
    """Keeps events back until released: the watch lags."""

    def __init__(self, resource: str) -> None:
        super().__init__(resource)
        self._held: list[tuple[Watch, bytes]] = []

    @property
    def held(self) -> int:
        return len(self._held)

    def take(self, watch: Watch, line: bytes) -> list[bytes | Cut]:
        self._held.append((watch, line))
        watch.withheld += 1
        self.fire()
        return []

    def release(self, count: int | None = None) -> None:
        """Send the first `count` held events (all), and go on holding."""
        chosen = self._held[:count] if count is not None else self._held
        self._held = self._held[len(chosen) :]
        for watch, line in chosen:
            watch.withheld -= 1
            watch.push(line)

    def lift(self) -> None:
        """Send what is held, and hold no more."""
        super().lift()
        self.release()

    def discard(self) -> None:
        """Lose what is held, and hold no more."""
        super().lift()
        for watch, _ in self._held:
            watch.withheld -= 1
        self._held = []


class DelayedEvents(Tap):
    """Sends each event some seconds late, in order."""

    def __init__(self, resource: str, seconds: float) -> None:
        super().__init__(resource)
        self._seconds = seconds

    def take(self, watch: Watch, line: bytes) -> list[bytes | Cut]:
        watch.withheld += 1
        self.fire()
        asyncio.get_running_loop().call_later(self._seconds, self._send, watch, line)
        return []

    def _send(self, watch: Watch, line: bytes) -> None:
        watch.withheld -= 1
        watch.push(line)


class RepeatedEvents(Tap):
    """Sends every event twice."""

    def take(self, watch: Watch, line: bytes) -> list[bytes | Cut]:
        self.fire()
        return [line, line]


class SwappedEvents(Tap):
    """Sends each pair of events in reverse order."""

    def __init__(self, resource: str) -> None:
        super().__init__(resource)
        self._first: dict[int, tuple[Watch, bytes]] = {}

    def take(self, watch: Watch, line: bytes) -> list[bytes | Cut]:
        held = self._first.pop(id(watch), None)
        if held is None:
            self._first[id(watch)] = (watch, line)
            watch.withheld += 1
            return []
        watch.withheld -= 1
        self.fire()
        return [line, held[1]]

    def lift(self) -> None:
        super().lift()
        for watch, line in self._first.values():
            watch.withheld -= 1
            watch.push(line)
        self._first = {}


class CutEvent(Tap):
    """Sends half of the next event's line and tears the connection down, once."""

    def take(self, watch: Watch, line: bytes) -> list[bytes | Cut]:
        self.fire()
        self.lift()
        return [Cut(line[: len(line) // 2])]
