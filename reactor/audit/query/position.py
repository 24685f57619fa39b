"""The archive's order as one number: rows of all replicas by (at, run, seq).

Pages count on positions alone; the local log's count its rows, these sort as the three do. A row
that comes late finds its place between others: pages that were read before don't show it.
"""

from __future__ import annotations

from typing import Final, NamedTuple
from uuid import UUID

_SEQ: Final = 64
_RUN: Final = 128
LOWEST: Final = 1 << _SEQ
"""Below it are the local log's positions: a run's id is never 0."""
HIGHEST: Final = (1 << (63 + _RUN + _SEQ)) - 1


class Key(NamedTuple):
    """What the rows are sorted by."""

    at: int
    run: str
    seq: int


def pack(at: int, run: str, seq: int) -> int:
    """The position of a row."""
    return packed(at, UUID(run), seq)


def packed(at: int, run: UUID, seq: int) -> int:
    """The same, of a run's id as the archive gives it."""
    return (at << _RUN | run.int) << _SEQ | seq


def unpack(position: int) -> Key:
    """The row's key; of a position between two rows, a key that lies there too."""
    seq = min(position & (1 << _SEQ) - 1, (1 << 63) - 1)
    run = UUID(int=position >> _SEQ & (1 << _RUN) - 1)
    return Key(min(position >> _SEQ + _RUN, (1 << 63) - 1), str(run), seq)


def begin(at: int) -> int:
    """The first position of a moment."""
    return at << _RUN + _SEQ
