"""Something that fires, counts it, and can be waited for."""

from __future__ import annotations

import asyncio


class Counted:
    """Something that fires; `fired` counts, `until(n)` waits."""

    def __init__(self) -> None:
        self.fired = 0
        self._pending: set[asyncio.Future[None]] = set()

    def fire(self) -> None:
        self.fired += 1
        for future in list(self._pending):
            if not future.done():
                future.set_result(None)

    async def until(self, times: int = 1, *, within: float = 10.0) -> None:
        """Wait until it has fired `times` in all. Raises TimeoutError."""
        async with asyncio.timeout(within):
            while self.fired < times:
                future = asyncio.get_running_loop().create_future()
                self._pending.add(future)
                try:
                    await future
                finally:
                    self._pending.discard(future)
