"""A log of decisions as canaries make them: each has a new split and the profile of the last."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from reactor.model import trafficsplit
from reactor.model.serviceprofile import Override
from reactor.model.trafficsplit import TrafficSplit
from reactor.translate import decide
from reactor.translate.recorded import asked_after, good_after
from reactor.translate.situation import Asked, Situation
from tests.replay.logs import row
from tests.replay.logs import write as write_rows
from tests.unit.translate.situations import NAMESPACE, profile, situation


def situations(count: int) -> Iterator[Situation]:
    """One after the other, with ever other weights."""
    asked: Asked | None = None
    good: dict[str, tuple[Override, ...]] = {}
    live: tuple[Override, ...] = ()
    for number in range(count):
        here = situation(
            _split(number),
            profile=profile(live, resourceVersion=str(number)),
            asked=asked,
            good=good,
        )
        decision = decide(here)
        yield here
        asked, good = asked_after(here, decision), good_after(here, decision)
        live = decision.desired.overrides or ()


def _split(number: int) -> TrafficSplit:
    weight = number % 1001
    return trafficsplit.decode(
        {
            "apiVersion": "split.smi-spec.io/v1alpha2",
            "kind": "TrafficSplit",
            "metadata": {
                "namespace": NAMESPACE,
                "name": "canary",
                "uid": "14d48f28-29af-4fb7-b2e2-70cc640911f8",
                "resourceVersion": str(number),
                "generation": number,
                "creationTimestamp": "2026-01-01T00:00:00Z",
            },
            "spec": {
                "service": "web",
                "backends": [
                    {"service": "web-v1", "weight": 1000 - weight},
                    {"service": "web-v2", "weight": weight},
                ],
            },
        },
        domain="cluster.local",
    )


def write(path: Path, count: int) -> Path:
    """Make a log of one run."""
    return write_rows(path, map(row, situations(count)))
