"""Runs smi-adaptor, unchanged, with a ticker in its event loop that writes down how late it is.

`ticker.py FILE [flags of smi-adaptor]`, or `ticker.py FILE --alone` for a loop with nothing else.
FILE receives pairs of doubles: the moment a tick was due (`time.monotonic()`), and its lateness.
"""

from __future__ import annotations

import asyncio
import sys
import time
from array import array
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

_SECONDS = 0.001


class Ticker:
    """Due each millisecond after the tick before; what was missed is one late tick, not many."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._ticks = array("d")
        self._due = 0.0
        self._handle: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Sets the next tick."""
        self._due = time.monotonic() + _SECONDS
        self._handle = self._loop.call_later(_SECONDS, self._tick)

    def stop(self, path: Path) -> None:
        """Ends, and writes all ticks."""
        if self._handle is not None:
            self._handle.cancel()
        path.write_bytes(self._ticks.tobytes())

    def _tick(self) -> None:
        self._ticks.append(self._due)
        self._ticks.append(max(0.0, time.monotonic() - self._due))
        self.start()


async def _watched(path: Path, main: Coroutine[Any, Any, Any]) -> Any:
    ticker = Ticker(asyncio.get_running_loop())
    ticker.start()
    try:
        return await main
    finally:
        ticker.stop(path)


async def _for_ever() -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_signal_handler(15, ended.set)
    await ended.wait()


def _alone(path: Path) -> None:
    import uvloop

    uvloop.run(_watched(path, _for_ever()))


def _adaptor(path: Path) -> None:
    run = asyncio.Runner.run

    def watched(self: asyncio.Runner, main: Coroutine[Any, Any, Any], **options: Any) -> Any:
        return run(self, _watched(path, main), **options)

    # The one place that uvloop.run and asyncio.run share; the product stays as it is.
    asyncio.Runner.run = watched  # type: ignore[method-assign,assignment] # that is the point
    from reactor.cli.adaptor import main

    sys.exit(main())


if __name__ == "__main__":
    target = Path(sys.argv.pop(1))
    if sys.argv[1:] == ["--alone"]:
        _alone(target)
    else:
        _adaptor(target)
