"""Times as people read them."""

from __future__ import annotations

from datetime import UTC, datetime


def exact(at: str) -> str:
    """RFC 3339 to the second; microseconds are for machines."""
    return f"{at[:19]}Z"


def ago(at: str, now: datetime | None = None) -> str:
    """How long ago, in two units at most."""
    then = datetime.fromisoformat(at)
    seconds = max(0, int(((now or datetime.now(UTC)) - then).total_seconds()))
    units = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
    parts: list[str] = []
    for unit, size in units:
        count, seconds = divmod(seconds, size)
        if count or parts:
            parts.append(f"{count}{unit}")
        if len(parts) == 2 or (parts and size == 60 and count >= 10):
            break
    shown = "".join(part for part in parts if not part.startswith("0")) or "0s"
    return f"{shown} ago"


def took(seconds: float) -> str:
    """A duration."""
    return f"{seconds * 1000:.0f}ms" if seconds < 1 else f"{seconds:.1f}s"
