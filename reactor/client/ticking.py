"""Work that says nothing until it is done, and who waits for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

T = TypeVar("T")
TICK: Final = 0.5
"""Seconds between two words."""


async def ticking(work: Awaitable[T], told: Callable[[str], None], what: str) -> T:
    """What came of it; meanwhile ``told`` hears for how long it goes on, and "" at the end."""
    begun = time.monotonic()
    working = asyncio.ensure_future(work)
    try:
        while not (await asyncio.wait({working}, timeout=TICK))[0]:
            told(f"{what} for {time.monotonic() - begun:.0f} s")
        return working.result()
    finally:
        told("")
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
