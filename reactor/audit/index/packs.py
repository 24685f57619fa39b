"""Sets of rows as bytes, so that what several terms have in common is found without the rows.

A pack is a stretch of PACK positions; a term's rows in it are their offsets there, two bytes
each, or from so many on, one bit for every position.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import reduce
from operator import and_
from typing import Final

PACK: Final = 15 << 10
"""Whole blocks (see `schema`); four packs in bits fit on a page of the file."""
_BITS: Final = PACK // 8
"""Bytes of a pack in bits; offsets take less."""
_MOST: Final = 256
"""Offsets at most: more of them would take long to look up, and few terms have as many."""


def packed(offsets: Sequence[int]) -> bytes:
    """A term's rows in one pack. ``offsets`` ascend."""
    if len(offsets) <= _MOST:
        return struct.pack(f"<{len(offsets)}H", *offsets)
    bits = bytearray(_BITS)
    for offset in offsets:
        bits[offset >> 3] |= 1 << (offset & 7)
    return bytes(bits)


def common(terms: Sequence[bytes]) -> list[int]:
    """The offsets, ascending, that are in all of these: one or more."""
    lists = sorted((rows for rows in terms if len(rows) < _BITS), key=len)
    bits = [rows for rows in terms if len(rows) == _BITS]
    if not lists:
        return _set(bits)
    found = set(_offsets(lists[0]))
    for rows in lists[1:]:
        found.intersection_update(_offsets(rows))
    for rows in bits:
        found = {offset for offset in found if rows[offset >> 3] >> (offset & 7) & 1}
    return sorted(found)


def _offsets(rows: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(rows) // 2}H", rows)


def _set(bits: Sequence[bytes]) -> list[int]:
    joined = reduce(and_, (int.from_bytes(rows, "little") for rows in bits))
    text = f"{joined:b}"[::-1]
    found = []
    at = text.find("1")
    while at >= 0:
        found.append(at)
        at = text.find("1", at + 1)
    return found
