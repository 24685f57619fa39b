"""Rows that wait for the database: in order, bounded, and honest about what didn't fit."""

from __future__ import annotations

from collections import deque

import msgspec

from reactor.audit.entry import Entry

_ROW = 400
"""Bytes that a row costs besides its detail and documents, about."""


class Bounds(msgspec.Struct, frozen=True):
    """How much may wait: rows, and bytes of their details and documents."""

    rows: int = 50_000
    size: int = 32 << 20


class Gap(msgspec.Struct):
    """Rows that were dropped one after the other. Times are the rows' own, microseconds UTC."""

    rows: int
    first: int
    last: int
    reason: str


class GapDetail(msgspec.Struct, frozen=True):
    """``detail`` of a `gap` row."""

    rows: int
    first: int
    last: int
    reason: str


_encode = msgspec.json.Encoder().encode


class Buffer:
    """A queue of entries. What comes while it is full is counted, in the place where it was."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._waiting: deque[Entry | Gap] = deque()
        self._size = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def size(self) -> int:
        """Bytes that wait, about."""
        return self._size

    def append(self, entry: Entry, reason: str) -> bool:
        """Take an entry; False when it was dropped for ``reason``."""
        cost = _cost(entry)
        waiting = self._waiting
        if len(waiting) < self._bounds.rows and self._size + cost <= self._bounds.size:
            waiting.append(entry)
            self._size += cost
            return True
        last = waiting[-1] if waiting else None
        if isinstance(last, Gap):
            last.rows += 1
            last.first = min(last.first, entry.at)
            last.last = max(last.last, entry.at)
        else:
            waiting.append(Gap(1, entry.at, entry.at, reason))
        return False

    def take(self, rows: int, size: int, now: int) -> list[Entry]:
        """The oldest ones, at least one if any waits. A gap becomes its row."""
        taken: list[Entry] = []
        waiting = self._waiting
        while waiting and len(taken) < rows and (size > 0 or not taken):
            found = waiting.popleft()
            if isinstance(found, Gap):
                detail = GapDetail(found.rows, found.first, found.last, found.reason)
                taken.append(Entry(kind="gap", at=now, detail=_encode(detail)))
            else:
                cost = _cost(found)
                self._size -= cost
                size -= cost
                taken.append(found)
        return taken


def _cost(entry: Entry) -> int:
    cost = _ROW + len(entry.detail)
    for document in entry.documents:
        cost += len(document.body)
    return cost
