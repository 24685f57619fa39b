"""A path of the API as a value: what it asks for, what it answers, and who does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from reactor.admin.question import Parameter

Answer = Callable[[Mapping[str, Any], bytes, int], Awaitable[bytes]]
"""From the parts of the path, the query string and the time now (microseconds) to JSON."""


class Route(msgspec.Struct, frozen=True):
    """One path. ``body`` is the struct that its JSON has the form of; ``missing`` says what a
    404 means, None when there is always an answer; ``own``: no archive is asked.
    """

    path: str
    summary: str
    body: type
    answer: Answer
    places: tuple[Parameter, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    missing: str | None = None
    own: bool = False
