"""A decision comes back from the log exactly, and leaves behind what the next one needs."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given

from reactor.translate import decide
from reactor.translate.decision import Create, Decision, Patch, Unchanged, fingerprint
from reactor.translate.recorded import (
    asked_after,
    asked_of,
    decode,
    documents_of,
    encode,
    good_after,
    good_of,
)
from reactor.translate.situation import Asked, Situation
from tests.unit.translate.situations import profile, situation, split, wanted
from tests.unit.translate.strategies import situations

PAIR = wanted(("web", "500"), ("failing", "500"))


def again(here: Situation, detail: bytes) -> tuple[Situation, Decision]:
    documents = documents_of(here)
    bodies = {document.digest: document.body for document in documents}
    return decode(detail, [document.digest for document in documents], bodies.__getitem__)


@given(situations())
def test_what_was_recorded_reads_back_the_same(here: Situation) -> None:
    decision = decide(here)
    detail = encode(here, decision, 3)
    assert again(here, detail) == (here, decision)
    assert json.loads(detail)["attempt"] == 3
    assert json.loads(detail)["fingerprint"] == fingerprint(here, decision)


@given(situations())
def test_a_row_tells_the_next_decision_what_the_process_knew(here: Situation) -> None:
    decision = decide(here)
    detail = encode(here, decision)
    assert asked_of(detail) == asked_after(here, decision)
    assert good_of(detail) == good_after(here, decision)
    assert good_of(detail).keys() <= {one.meta.uid for one in here.splits}


@given(situations())
def test_a_recorded_situation_is_decided_the_same_again(here: Situation) -> None:
    there, decision = again(here, encode(here, decide(here)))
    assert decide(there) == decision


def test_the_row_of_the_guides_case_is_compact() -> None:
    here = situation(split("canary", ("web", 500), ("failing", 500)), profile=profile(PAIR))
    detail = encode(here, decide(here))
    assert len(detail) < 2_000
    assert b"managedFields" not in detail


def canary(**others: Any) -> Any:
    return split("canary", ("web", 500), ("failing", 500), **others)


def test_a_valid_decision_is_what_was_asked() -> None:
    here = situation(canary())
    decision = decide(here)
    assert isinstance(decision.plan, Create)
    assert asked_after(here, decision) == Asked("uid-canary", "canary", PAIR)


def test_what_was_asked_outlives_its_split_until_it_is_cleaned_up() -> None:
    asked = Asked("uid-canary", "canary", PAIR)
    here = situation(profile=profile(PAIR, labels={"a": "b"}), asked=asked, evidence="proved")
    decision = decide(here)
    assert isinstance(decision.plan, Patch)
    assert asked_after(here, decision) == asked
    here = situation(profile=profile(None, labels={"a": "b"}), asked=asked, evidence="proved")
    decision = decide(here)
    assert decision.plan == Unchanged()
    assert asked_after(here, decision) is None


def test_an_older_invalid_split_does_not_make_the_younger_one_forgotten() -> None:
    older = split("older", ("a", "lots"), created="2025-01-01T00:00:00Z")
    asked = Asked("uid-canary", "canary", PAIR)
    here = situation(older, canary(), profile=profile(PAIR), asked=asked)
    decision = decide(here)
    assert decision.desired.leave
    assert asked_after(here, decision) == asked
    assert good_after(here, decision) == {"uid-canary": PAIR}


def test_the_fingerprint_moves_with_what_a_decision_says_and_with_nothing_else() -> None:
    here = situation(canary(), profile=profile(PAIR))
    mark = fingerprint(here, decide(here))
    assert len(mark) == 32
    busy = situation(canary(), profile=profile(PAIR, spec={"routes": [{"name": "x"}]}))
    assert fingerprint(busy, decide(busy)) == mark
    drifted = situation(canary(), profile=profile(None))
    edited = situation(split("canary", ("web", 400), ("failing", 500)), profile=profile(PAIR))
    missing = situation(canary(), profile=profile(PAIR), services={"failing": "missing"})
    marks = {fingerprint(one, decide(one)) for one in (drifted, edited, missing)}
    assert len(marks | {mark}) == 4


def test_a_decision_of_no_split_is_recorded_too() -> None:
    here = situation()
    decision = decide(here)
    assert again(here, encode(here, decision)) == (here, decision)
    assert decision == Decision(decision.desired, Unchanged())
