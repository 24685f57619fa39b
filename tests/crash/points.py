"""Where a process is killed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

Instant = Literal["lost", "late", "done"]
"""Of a write that was on its way: it never arrives, it arrives when its sender is dead, or it has
taken effect and its answer is on the way."""

WRITES = 11
"""Requests that the script takes when nothing happens."""
SYNCS = 18
"""Syncs that it takes, more or less: neighbours may share one."""


@dataclass(frozen=True)
class AtWrite:
    """At the nth request that would change a profile."""

    number: int
    instant: Instant

    def __str__(self) -> str:
        return f"write-{self.number}-{self.instant}"


@dataclass(frozen=True)
class AtSync:
    """At the nth sync of the log, before or after it took effect."""

    number: int
    after: bool

    def __str__(self) -> str:
        return f"sync-{self.number}-{'after' if self.after else 'before'}"


@dataclass(frozen=True)
class Point:
    """A first crash, and perhaps one more in the life that follows it."""

    first: AtWrite | AtSync
    second: AtSync | None = None

    def __str__(self) -> str:
        return str(self.first) if self.second is None else f"{self.first}-then-{self.second}"


def drawn(count: int, seed: int) -> list[Point]:
    """As many points, the same for the same seed."""
    chance = random.Random(seed)
    return [_point(chance) for _ in range(count)]


def _point(chance: random.Random) -> Point:
    instants: tuple[Instant, ...] = ("lost", "late", "done")
    first: AtWrite | AtSync
    if chance.random() < 0.5:
        first = AtWrite(chance.randint(1, WRITES), chance.choice(instants))
    else:
        first = AtSync(chance.randint(1, SYNCS), chance.random() < 0.5)
    again = chance.random() < 0.3
    return Point(first, AtSync(chance.randint(1, 8), chance.random() < 0.5) if again else None)
