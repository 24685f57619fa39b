"""Waiting for what nobody announces."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

PATIENCE = 45.0
"""Seconds. They cost nothing where all is well, and on a busy machine they may be needed."""


async def until(condition: Callable[[], object], timeout: float = PATIENCE) -> None:
    """Wait until the condition holds."""
    async with asyncio.timeout(timeout):
        while True:
            if condition():
                return
            await asyncio.sleep(0.005)


async def until_async(
    condition: Callable[[], Awaitable[object]], timeout: float = PATIENCE
) -> None:
    """The same for a condition that asks someone."""
    async with asyncio.timeout(timeout):
        while True:
            if await condition():
                return
            await asyncio.sleep(0.025)
