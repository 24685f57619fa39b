"""Recorded events done again, one after the other, and what came of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

import msgspec

from reactor.errors import Conflict, Terminal
from reactor.model.meta import Meta
from reactor.model.serviceprofile import Override, ServiceProfile
from reactor.replay.outcome import Apart, compared
from reactor.replay.pace import Pace
from reactor.replay.script import Script
from reactor.replay.step import Step


class Stage(Protocol):
    """Where it happens."""

    async def enact(self, step: Step) -> Meta | None:
        """Do a step; what the object is then."""
        ...

    async def profile(self, namespace: str, name: str) -> ServiceProfile | None:
        """A profile as it is now."""
        ...


class Refused(msgspec.Struct, frozen=True):
    """A step that the API server would not take."""

    place: str
    step: str
    why: str


class Ending(msgspec.Struct):
    """What was done, and how the ``profiles`` recorded compare with what is there now."""

    steps: int = 0
    refused: list[Refused] = []
    profiles: int = 0
    apart: list[Apart] = []


Told = Callable[[Step, str], None]
"""Hears of each step once it is done, and why it was refused, else ""."""


async def reenact(
    script: Script,
    stage: Stage,
    *,
    pace: Pace,
    handled: Callable[[Step, Meta | None], Awaitable[None]],
    told: Told,
    patience: float,
    clock: Callable[[], float],
) -> Ending:
    """Set the scene, do every step at its time, and compare.

    ``handled`` returns when the adaptor has dealt with what a step left, as far as that can be
    known; ``patience`` is in seconds, by ``clock``.
    """
    ending = Ending()

    async def do(step: Step) -> None:
        why = ""
        try:
            await handled(step, await stage.enact(step))
        except (Conflict, Terminal) as error:
            why = str(error)
            ending.refused.append(Refused(step.place, str(step), why))
        ending.steps += 1
        told(step, why)

    for step in script.scene():
        await do(step)
    for step in script.steps():
        await pace.turn(step)
        await do(step)
    recorded: Mapping[tuple[str, str], tuple[Override, ...] | None] = script.profiles
    ending.profiles = len(recorded)
    ending.apart = await compared(stage, recorded, patience=patience, clock=clock)
    return ending
