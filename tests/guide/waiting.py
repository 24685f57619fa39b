"""Waiting for what other programs do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(ask: Callable[[], T | None], *, what: str, seconds: float = 45.0) -> T:
    """The first answer that isn't None or False; AssertionError when there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        found = ask()
        if found is not None and found is not False:
            return found
        assert time.monotonic() < deadline, f"{what}: not in {seconds} s"
        time.sleep(0.2)  # each answer takes programs that are busy enough
