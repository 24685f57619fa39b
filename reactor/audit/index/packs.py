"""Sets of rows as bytes, so that what several terms have in common is found without the rows.

A pack is a stretch of PACK positions; a term's rows in it are their offsets there, two bytes
each, or once that is shorter, one bit for every position.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import reduce
from operator import and_
from typing import Final

PACK: Final = 1 << 14
_BITS: Final = PACK // 8
"""Bytes of a pack in bits; offsets take less."""


def packed(offsets: Sequence[int]) -> bytes:
    """A term's rows in one pack. ``offsets`` ascend."""
    if 2 * len(offsets) < _BITS:
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
    found = _offsets(lists[0])
    for rows in lists[1:]:
        among = frozenset(_offsets(rows))
        found = [offset for offset in found if offset in among]
    for rows in bits:
        found = [offset for offset in found if rows[offset >> 3] >> (offset & 7) & 1]
    return found


def _offsets(rows: bytes) -> list[int]:
    return list(struct.unpack(f"<{len(rows) // 2}H", rows))


def _set(bits: Sequence[bytes]) -> list[int]:
    joined = reduce(and_, (int.from_bytes(rows, "little") for rows in bits))
    text = f"{joined:b}"[::-1] if joined else ""
    return [offset for offset, bit in enumerate(text) if bit == "1"]
