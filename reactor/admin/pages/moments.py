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
    """How long before ``now`` that was, in its largest unit."""
    seconds = (now - at) // 1_000_000
    if seconds < 1:
        return "just now"
    for size, name in _UNITS:
        if seconds >= size:
            count = seconds // size
            return f"{count} {name}{'s' if count > 1 else ''} ago"
    raise AssertionError("a second is the least")
