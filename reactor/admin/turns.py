"""Long answers: how many of a kind may run at a time, and how one begins."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager

from reactor.admin.problem import Refused


class Turns:
    """At most ``most`` at a time; the next one is told ``full``, and to wait so many seconds."""

    def __init__(self, most: int, *, full: str, wait: int) -> None:
        self._most = most
        self._full = full
        self._wait = wait
        self._taken = 0

    @contextmanager
    def take(self) -> Iterator[None]:
        """Hold a turn. Raises Refused when there is none."""
        if self._taken >= self._most:
            raise Refused(503, self._full, headers={"Retry-After": str(self._wait)})
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1


async def begun(parts: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """The same parts once the first is there: what fails until then can still be refused.

    A generator that never began would not run its ``finally`` either, and keep its turn.
    """
    return _all(await anext(parts), parts)


async def _all(first: bytes, rest: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    try:
        yield first
        async for part in rest:
            yield part
    finally:
        await rest.aclose()
