"""Who changed an object, as managedFields tell it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from reactor.model.actor import actor
from reactor.model.meta import Manager
from reactor.model.serviceprofile import ServiceProfile
from reactor.model.trafficsplit import TrafficSplit
from tests.unit.translate import situations

EARLY, LATE = "2026-01-01T00:00:00Z", "2026-01-01T00:00:09Z"
HALF: Any = (("a", 500), ("b", 500))
MOST: Any = (("a", 900), ("b", 100))


def split(weights: Any, *managers: Manager, uid: str = "u") -> TrafficSplit:
    found = situations.split("s", *weights, uid=uid)
    return msgspec.structs.replace(
        found, meta=msgspec.structs.replace(found.meta, managers=managers)
    )


def profile(overrides: Any, *managers: Manager) -> ServiceProfile:
    found = situations.profile(overrides)
    return msgspec.structs.replace(
        found, meta=msgspec.structs.replace(found.meta, managers=managers)
    )


def held(name: str, time: str = EARLY, weights: bool = False) -> Manager:
    return Manager(name, "Update", time, weights)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, split(HALF, held("kubectl")), "kubectl"),
        (None, split(HALF), "unknown"),
        (split(HALF), split(HALF, held("kubectl")), "kubectl"),
        (
            split(HALF, held("kubectl")),
            split(HALF, held("kubectl"), held("flagger", LATE)),
            "flagger",
        ),
        (
            split(HALF, held("kubectl"), held("flagger")),
            split(HALF, held("flagger"), held("kubectl", LATE)),
            "kubectl",
        ),
        (split(HALF, held("kubectl")), split(HALF), "unknown"),
        (split(HALF, held("kubectl"), uid="before"), split(HALF, held("kubectl")), "kubectl"),
    ],
)
def test_the_actor_is_who_is_new_or_newer(
    before: TrafficSplit | None, after: TrafficSplit, expected: str
) -> None:
    assert actor(before, after) == expected


BOTH = (held("kubectl"), held("flagger", weights=True))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (split(HALF, *BOTH), split(MOST, *BOTH), "flagger"),
        (
            split(HALF, held("kubectl", weights=True), held("flagger")),
            split(MOST, *BOTH),
            "flagger",
        ),
        (profile(None, *BOTH), profile(situations.wanted(("a", "1")), *BOTH), "flagger"),
        # Something else changed, and anybody may have done that.
        (split(HALF, *BOTH), split(HALF, *BOTH), "unknown"),
        # The weights went: nobody holds what isn't there.
        (profile(situations.wanted(("a", "1")), *BOTH), profile(None, *BOTH), "unknown"),
        # Unreadable now: that may come from another field.
        (split(HALF, *BOTH), split((("a", "lots"),), *BOTH), "unknown"),
        # It could not be followed before, which need not have been for its weights.
        (split((("a", "lots"),), *BOTH), split(HALF, *BOTH), "unknown"),
        # Two hold the list, as with a schema that merges it.
        (
            split(HALF, held("kubectl", weights=True), held("flagger", weights=True)),
            split(MOST, held("kubectl", weights=True), held("flagger", weights=True)),
            "unknown",
        ),
    ],
)
def test_new_weights_within_a_second_are_by_who_alone_holds_them(
    before: TrafficSplit | ServiceProfile, after: TrafficSplit | ServiceProfile, expected: str
) -> None:
    assert actor(before, after) == expected
