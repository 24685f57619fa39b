"""Asks again until an answer is fine or the time is over."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from reactor.check.result import Result, Trouble, told
from reactor.errors import ReactorError, Terminal

FIRST, LONGEST = 0.2, 2.0  # seconds between two tries

Probe = Callable[[], Awaitable[Trouble | None]]


class Patience:
    """One wait for all checks together, over with the first failure: nothing heals after it.

    ``progress`` is told what is waited for, and an empty text when that is over.
    """

    def __init__(self, *, wait: float, progress: Callable[[str], None]) -> None:
        self._deadline = time.monotonic() + wait
        self._progress = progress

    async def judge(
        self, description: str, probe: Probe, *, wait: float = 0.0, optional: bool = False
    ) -> Result:
        """The result of a check; its failure is looked at again for up to ``wait`` seconds.

        What the person who asks may not look at is a failure, or only a warning if ``optional``.
        """
        until = min(self._deadline, time.monotonic() + wait)
        pause = FIRST
        while True:
            trouble = await _asked(probe, optional)
            left = until - time.monotonic()
            if trouble is None or trouble.warning or left <= 0:
                break
            self._progress(f"{description}: {trouble.error}")
            await asyncio.sleep(min(pause, left))
            pause = min(pause * 1.5, LONGEST)
        self._progress("")
        result = told(description, trouble)
        if result.result == "error":
            self._deadline = 0.0
        return result


async def _asked(probe: Probe, optional: bool) -> Trouble | None:
    try:
        return await probe()
    except Terminal as error:
        if error.status == 401:
            return Trouble(str(error), "`kubectl auth whoami`")
        if error.status == 403:
            return Trouble(f"not checked: {error}", "`kubectl auth can-i --list`", optional)
        return Trouble(str(error), "`kubectl cluster-info`")
    except ReactorError as error:
        return Trouble(str(error), "`kubectl cluster-info`")
