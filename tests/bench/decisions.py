"""A log of decisions as canaries make them: each has a new split and the profile of the last."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from reactor.model.serviceprofile import Override
from reactor.translate import decide
from reactor.translate.recorded import asked_after, good_after
from reactor.translate.situation import Asked, Situation
from tests.replay.logs import row
from tests.replay.logs import write as write_rows
from tests.unit.translate.situations import profile, situation, split


def situations(count: int) -> Iterator[Situation]:
    """One after the other, with ever other weights."""
    asked: Asked | None = None
    good: dict[str, tuple[Override, ...]] = {}
    live: tuple[Override, ...] = ()
    for number in range(count):
        here = situation(
            split("canary", ("web-v1", number), ("web-v2", 1 + number % 1000)),
            profile=profile(live),
            asked=asked,
            good=good,
        )
        decision = decide(here)
        yield here
        asked, good = asked_after(here, decision), good_after(here, decision)
        live = decision.desired.overrides or ()


def write(path: Path, count: int) -> Path:
    """Make a log of one run."""
    return write_rows(path, map(row, situations(count)))
