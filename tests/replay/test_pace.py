"""When the next event is done."""

from __future__ import annotations

import asyncio

from reactor.replay.pace import Recorded
from reactor.replay.step import Step


def step(seconds: float) -> Step:
    return Step(
        place="run:1",
        at=int(seconds * 1e6),
        resource="trafficsplits",
        change="deleted",
        namespace="shop",
        name="canary",
        actor="kubectl",
    )


async def test_events_are_as_far_apart_as_recorded_or_so_many_times_nearer() -> None:
    clock = asyncio.get_running_loop().time
    pace = Recorded(100, clock=clock)
    began = clock()
    await pace.turn(step(5_000))
    assert clock() - began < 1
    await pace.turn(step(5_020))
    await pace.turn(step(5_010))
    # A timer may be early by the clock's grain.
    assert 0.19 <= clock() - began < 2
