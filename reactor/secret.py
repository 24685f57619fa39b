"""A value that is used but never shown: in no log line, no audit log, no error."""

from __future__ import annotations

import msgspec


class Secret(msgspec.Struct, frozen=True):
    """``value`` is for the one who needs it, ``shown`` for everybody."""

    value: str
    shown: str

    def __str__(self) -> str:
        return self.shown

    def __repr__(self) -> str:
        return f"Secret({self.shown!r})"
