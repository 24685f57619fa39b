"""Ids of runs: UUIDv7 (RFC 9562, section 5.7), so that they sort in the order of starts."""

from __future__ import annotations

import secrets
import uuid


def run_id(milliseconds: int, after: str | None) -> str:
    """A new id for a start at ``milliseconds`` since 1970.

    It sorts behind ``after``, the run before, even when the clock was set back since.
    """
    if after is not None:
        milliseconds = max(milliseconds, (uuid.UUID(after).int >> 80) + 1)
    random = secrets.randbits(74)
    value = (milliseconds & (1 << 48) - 1) << 80
    value |= 0x7 << 76 | (random >> 62) << 64 | 0b10 << 62 | random & (1 << 62) - 1
    return str(uuid.UUID(int=value))
