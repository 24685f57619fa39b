"""Durations, sizes and counts as people write them, and sizes as Kubernetes writes them."""

from __future__ import annotations

import re
from decimal import Decimal

_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_BYTES = {
    "": 1,
    "b": 1,
    "k": 10**3,
    "kb": 10**3,
    "ki": 2**10,
    "kib": 2**10,
    "m": 10**6,
    "mb": 10**6,
    "mi": 2**20,
    "mib": 2**20,
    "g": 10**9,
    "gb": 10**9,
    "gi": 2**30,
    "gib": 2**30,
    "t": 10**12,
    "tb": 10**12,
    "ti": 2**40,
    "tib": 2**40,
}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdw])", re.ASCII)
_DURATION = re.compile(rf"(?:{_PART.pattern})+", re.ASCII)
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([a-zA-Z]*)", re.ASCII)


def duration(text: str) -> float:
    """Seconds of ``30d``, ``12h``, ``1h30m``, ``90s``: Go's grammar with days and weeks.

    Raises ValueError in one sentence.
    """
    if not _DURATION.fullmatch(text):
        raise ValueError("write a duration such as 30d, 12h or 90m")
    seconds: float = sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
    if seconds <= 0:
        raise ValueError("a duration must be longer than 0")
    return seconds


def size(text: str) -> int:
    """Bytes of ``512MiB``, ``1GiB``, ``2G``, ``1048576``. Raises ValueError in one sentence."""
    match = _SIZE.fullmatch(text)
    if match is None or match[2].lower() not in _BYTES:
        raise ValueError("write a size such as 512MiB, 1GiB or 2G")
    return int(Decimal(match[1]) * _BYTES[match[2].lower()])


def counted(number: int, noun: str) -> str:
    """``1 row``, ``2 rows``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
