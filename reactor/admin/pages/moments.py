"""Times for people: UTC, and how long ago."""

from __future__ import annotations

from typing import Final

from reactor.admin import moment as machine

_UNITS: Final = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def moment(at: int) -> str:
    """``at`` (microseconds since 1970) to the millisecond, as a person reads it."""
    text = machine.text(at)
    return f"{text[:10]} {text[11:23]} UTC"


def stamp(at: int) -> str:
    """The same for machines: RFC 3339."""
    return machine.text(at)


def ago(at: int, now: int) -> str:
    """How long before ``now`` that was."""
    seconds = (now - at) // 1_000_000
    return "just now" if seconds < 1 else f"{duration(seconds)} ago"


def duration(seconds: float) -> str:
    """In the largest unit that it fills."""
    size, name = next((unit for unit in _UNITS if seconds >= unit[0]), _UNITS[-1])
    count = int(seconds // size)
    return f"{count} {name}{'' if count == 1 else 's'}"
