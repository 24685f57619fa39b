"""Where a page begins, as text that a client hands back."""

from __future__ import annotations

import re
from typing import Final

import msgspec

PATTERN: Final = r"v1\.[<>]([0-9]{1,18}|[0-9]{20,77})"
"""The long ones are positions of the archive."""
_CURSOR: Final = re.compile(PATTERN)


class Cursor(msgspec.Struct, frozen=True):
    """Rows on one side of ``position``, which isn't one of them: above it, or below."""

    position: int
    above: bool

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """ValueError for anything but what `str` gave."""
        if not _CURSOR.fullmatch(text):
            raise ValueError("cursor is none of ours; leave it out to begin anew")
        return cls(int(text[4:]), text[3] == ">")

    def __str__(self) -> str:
        return f"v1.{'>' if self.above else '<'}{self.position}"
