"""What holds for every decision, whatever the splits and the profile are."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import msgspec
from hypothesis import given, settings

from reactor.model import quantity
from reactor.model.serviceprofile import Override
from reactor.model.trafficsplit import TrafficSplit
from reactor.translate import decide
from reactor.translate.decision import Create, Delete, Keep, Patch, Skip, Unchanged
from reactor.translate.overrides import translate
from reactor.translate.recorded import asked_after, good_after
from reactor.translate.scale import HIGHEST_SUM
from reactor.translate.situation import Repairs, Situation
from tests.unit.translate.situations import carried_out
from tests.unit.translate.strategies import situations, valid_splits


def summed(split: TrafficSplit) -> dict[str, int]:
    """Weights as asked for, by backend, in order of first mention."""
    found: dict[str, int] = {}
    for backend in split.backends:
        found[backend.service] = found.get(backend.service, 0) + backend.weight.nanos
    return found


def nanos(overrides: tuple[Override, ...]) -> list[int]:
    return [quantity.parse(one.weight).nanos for one in overrides]


@given(valid_splits())
def test_order_is_kept(split: TrafficSplit) -> None:
    overrides, _ = translate(split, "cluster.local")
    assert [one.authority.partition(".")[0] for one in overrides] == list(summed(split))


@given(valid_splits())
def test_linkerd_can_hold_what_is_written(split: TrafficSplit) -> None:
    written = nanos(translate(split, "cluster.local")[0])
    assert sum(written) <= HIGHEST_SUM * quantity.NANOS
    assert all(weight % 1_000_000 == 0 for weight in written)
    assert [weight == 0 for weight in written] == [size == 0 for size in summed(split).values()]


@given(valid_splits())
def test_ratios_are_kept_as_exactly_as_a_milli_allows(split: TrafficSplit) -> None:
    asked = list(summed(split).values())
    written = nanos(translate(split, "cluster.local")[0])
    pairs = sorted(zip(asked, written, strict=True))
    assert all(left[1] <= right[1] for left, right in pairwise(pairs))
    heaviest_asked, heaviest_written = pairs[-1]
    for size, weight in pairs:
        share = size * Fraction(heaviest_written, max(heaviest_asked, 1))
        # Rounded to a milli, of a share of which the heaviest itself was rounded to one.
        assert abs(weight - share) <= 2_000_000


@given(valid_splits())
def test_only_what_linkerd_cannot_read_is_spelled_otherwise(split: TrafficSplit) -> None:
    overrides, findings = translate(split, "cluster.local")
    if not findings:
        assert [one.weight for one in overrides] == [one.weight.text for one in split.backends]


@settings(max_examples=300)
@given(situations())
def test_no_situation_raises_and_every_message_is_fit_to_print(here: Situation) -> None:
    decision = decide(here)
    msgspec.json.encode(decision)
    for finding in decision.desired.findings:
        assert finding.message.isprintable()
        assert len(finding.message) < 900
        assert finding.reason.isalpha()
    if isinstance(decision.plan, Keep | Skip):
        assert decision.plan.reason.isprintable()


@settings(max_examples=300)
@given(situations())
def test_carrying_out_a_plan_leaves_nothing_to_do(here: Situation) -> None:
    decision = decide(here)
    if isinstance(decision.plan, Create | Patch | Delete):
        after = msgspec.structs.replace(
            here,
            profile=carried_out(here.profile, decision.plan),
            asked=None if decision.desired.overrides is None else asked_after(here, decision),
            good=good_after(here, decision),
            repairs=Repairs(),
        )
        again = decide(after)
        assert isinstance(again.plan, Unchanged) or again.desired.leave


@settings(max_examples=300)
@given(situations())
def test_nothing_of_others_is_removed(here: Situation) -> None:
    decision = decide(here)
    plan, live = decision.plan, here.profile
    removes = isinstance(plan, Delete) or (isinstance(plan, Patch) and plan.overrides is None)
    if not removes:
        return
    assert live is not None
    assert here.asked is not None or live.ours
    assert not live.skip
    assert not here.unreadable
    assert here.rules.orphans != "keep"
    assert here.evidence != "listed"
    if isinstance(plan, Delete):
        assert live.bare
        assert live.only_ours


@settings(max_examples=300)
@given(situations())
def test_the_order_in_which_splits_are_given_matters_to_nothing(here: Situation) -> None:
    turned = msgspec.structs.replace(here, splits=here.splits[::-1])
    assert decide(turned) == decide(here)
