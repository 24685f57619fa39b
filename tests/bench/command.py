"""What the harness asks of a loader process, and what it answers: one JSON line each."""

from __future__ import annotations

from typing import Literal

import msgspec

Action = Literal[
    "create services",
    "create splits",
    "patch splits",
    "delete splits",
    "create profiles",
    "patch profiles",
    "delete profiles",
    "patch splits and profiles",
]
Change = Literal["patch splits", "patch profiles"]


class Write(msgspec.Struct, frozen=True, kw_only=True, tag="write"):
    """Writes the first ``count`` objects, ``in_flight`` requests at a time."""

    action: Action
    count: int
    generation: int = 0
    in_flight: int = 32


class Expect(msgspec.Struct, frozen=True, kw_only=True, tag="expect"):
    """Answers when a watch has shown the first ``count`` profiles with these weights.

    ``ended`` is when the last of them was seen; generation None waits until none is left.
    """

    count: int
    generation: int | None
    timeout: float = 120.0


class Sequence(msgspec.Struct, frozen=True, kw_only=True, tag="sequence"):
    """Changes one object after the other, each when the profile of the one before was seen.

    ``seconds`` of the reply: from request sent to profile seen, one value a change.
    """

    action: Change
    changes: int
    among: int
    generation: int


class Load(msgspec.Struct, frozen=True, kw_only=True, tag="load"):
    """Changes splits for so long, at so many a second (0: as fast as ``in_flight`` allows).

    ``seconds`` of the reply holds one number: how many changes were made.
    """

    duration: float
    rate: float
    among: int
    generation: int
    in_flight: int = 32


Command = Write | Expect | Sequence | Load


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """Moments are `time.monotonic()`, which all processes of a machine share."""

    began: float = 0.0
    ended: float = 0.0
    seconds: tuple[float, ...] = ()
    error: str = ""

    @property
    def elapsed(self) -> float:
        """From the first request to the last answer."""
        return self.ended - self.began
