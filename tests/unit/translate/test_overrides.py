"""Each row of the table of semantics: what a service's splits ask for."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from reactor.model.trafficsplit import TrafficSplit
from reactor.translate.decision import Desired
from reactor.translate.overrides import good, overrides
from reactor.translate.situation import Asked
from tests.unit.translate.situations import situation, split, wanted

OLD, NEW = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"
BAD = [{"service": "a", "weight": "lots"}]


def reasons(desired: Desired) -> list[tuple[str, str]]:
    return [(finding.reason, finding.split) for finding in desired.findings]


def messages(desired: Desired) -> str:
    return "\n".join(finding.message for finding in desired.findings)


def decided(*weights: tuple[str, Any]) -> Desired:
    return overrides(situation(split("canary", *weights)))


def test_backends_become_overrides_in_their_order() -> None:
    desired = decided(("web", 500), ("failing", 500), ("another", "1e3"))
    assert desired.overrides == wanted(("web", "500"), ("failing", "500"), ("another", "1e3"))
    assert (desired.winner, desired.uid) == ("canary", "uid-canary")
    assert desired.valid
    assert desired.findings == ()


def test_the_same_backend_twice_is_summed() -> None:
    desired = decided(("a", 500), ("b", 1), ("a.shop", "0.5"))
    assert desired.overrides == wanted(("a", "500500m"), ("b", "1"))
    assert reasons(desired) == [("DuplicateBackend", "canary")]
    assert "a named more than once" in messages(desired)


def test_sums_that_linkerd_cannot_hold_are_scaled_down() -> None:
    desired = decided(("a", 1_000_000), ("b", 3_000_000))
    assert desired.overrides == wanted(("a", "100k"), ("b", "300k"))
    assert reasons(desired) == [("WeightsScaled", "canary")]
    assert "divided by 10" in messages(desired)


def test_a_duplicate_may_make_the_sum_too_large() -> None:
    desired = decided(("a", 400_000), ("a", 400_000), ("b", 200_000))
    assert desired.overrides == wanted(("a", "80k"), ("b", "20k"))
    assert reasons(desired) == [("DuplicateBackend", "canary"), ("WeightsScaled", "canary")]


def test_weights_finer_than_linkerd_reads_are_scaled_up() -> None:
    desired = decided(("a", "100u"), ("b", "900u"))
    assert desired.overrides == wanted(("a", "1m"), ("b", "9m"))
    assert reasons(desired) == [("WeightsScaled", "canary")]


def test_where_scaling_up_does_not_fit_they_are_rounded_up() -> None:
    desired = decided(("a", "1n"), ("b", 400_000))
    assert desired.overrides == wanted(("a", "1m"), ("b", "400k"))
    assert reasons(desired) == [("WeightRounded", "canary")]


def test_too_big_and_too_fine_at_once_fits_and_loses_nobody() -> None:
    desired = decided(("a", "1n"), ("b", 4_000_000))
    assert desired.overrides == wanted(("a", "1m"), ("b", "429495999m"))
    assert reasons(desired) == [("WeightsScaled", "canary"), ("WeightRounded", "canary")]


def test_all_weights_zero_are_written_as_they_are() -> None:
    desired = decided(("a", 0), ("b", "0k"))
    assert desired.overrides == wanted(("a", "0"), ("b", "0"))
    assert reasons(desired) == [("AllWeightsZero", "canary")]


@pytest.mark.parametrize("backends", [[], None])
def test_a_split_without_backends_is_as_if_absent(backends: object) -> None:
    desired = overrides(situation(split("canary", backends=backends)))
    assert desired.overrides is None
    assert desired.winner is None
    assert desired.valid
    assert not desired.leave
    assert reasons(desired) == [("NoBackends", "canary")]


def test_a_split_without_backends_shadows_nobody() -> None:
    older = split("older", created=OLD)
    younger = split("younger", ("a", 1), created=NEW)
    desired = overrides(situation(older, younger))
    assert desired.winner == "younger"
    assert reasons(desired) == [("NoBackends", "older")]


@pytest.mark.parametrize("turned", [False, True])
def test_the_older_of_two_splits_wins_in_any_order(turned: bool) -> None:
    splits = [split("z", ("a", 1), created=OLD), split("b", ("b", 1), created=NEW)]
    desired = overrides(situation(*(splits[::-1] if turned else splits)))
    assert desired.overrides == wanted(("a", "1"))
    assert desired.winner == "z"
    assert reasons(desired) == [("ShadowedBy", "b")]
    assert "the older z" in messages(desired)


def test_of_the_same_age_the_name_decides() -> None:
    desired = overrides(situation(split("b", ("b", 1)), split("a", ("a", 1))))
    assert desired.winner == "a"


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"backends": BAD}, "InvalidWeight"),
        ({"backends": [{"service": "a", "weight": -1}]}, "InvalidWeight"),
        ({"backends": [{"service": "a"}]}, "InvalidWeight"),
        ({"backends": [{"service": "a", "weight": True}]}, "InvalidWeight"),
        ({"backends": [{"service": "a", "weight": Decimal("9e999999")}]}, "InvalidWeight"),
        ({"backends": "x"}, "InvalidSplit"),
        ({"backends": [{"service": "a.other", "weight": 1}]}, "CrossNamespace"),
        (
            {"backends": [{"service": "a", "weight": 1}], "matches": [{"kind": "HTTPRouteGroup"}]},
            "UnsupportedMatches",
        ),
    ],
)
def test_an_invalid_split_keeps_its_last_good_overrides(spec: dict[str, Any], reason: str) -> None:
    before = wanted(("a", "7"))
    bad = split("canary", **spec)
    desired = overrides(situation(bad, good={"uid-canary": before}))
    assert desired.overrides == before
    assert not desired.valid
    assert not desired.leave
    assert reasons(desired) == [(reason, "canary")]


def test_an_invalid_split_that_was_never_good_leaves_the_profile_alone() -> None:
    desired = overrides(situation(split("canary", backends=BAD)))
    assert desired.overrides is None
    assert desired.leave
    assert not desired.valid


def test_the_oldest_wins_even_while_it_is_invalid() -> None:
    older = split("older", backends=BAD, created=OLD)
    younger = split("younger", ("b", 1), created=NEW)
    before = wanted(("a", "7"))
    desired = overrides(situation(older, younger, good={"uid-older": before}))
    assert desired.overrides == before
    assert desired.winner == "older"
    assert reasons(desired) == [("InvalidWeight", "older"), ("ShadowedBy", "younger")]


def test_the_overrides_of_a_split_that_is_gone_go_even_when_the_next_is_invalid() -> None:
    gone = Asked("uid-gone", "gone", wanted(("a", "7")))
    desired = overrides(
        situation(split("next", backends=BAD), asked=gone, good={"uid-gone": gone.overrides})
    )
    assert desired.overrides is None
    assert not desired.leave
    assert not desired.valid


def test_an_older_invalid_split_that_was_never_good_changes_nothing() -> None:
    older = split("older", backends=BAD, created=OLD)
    younger = split("younger", ("b", 1), created=NEW)
    asked = Asked("uid-younger", "younger", wanted(("b", "1")))
    desired = overrides(situation(older, younger, asked=asked))
    assert desired.leave


def test_a_split_recreated_under_its_name_inherits_nothing() -> None:
    before = Asked("uid-before", "canary", wanted(("a", "7")))
    again = split("canary", backends=BAD, uid="uid-after")
    desired = overrides(situation(again, asked=before, good={"uid-before": before.overrides}))
    assert desired.overrides is None
    assert not desired.leave


def test_missing_and_headless_services_are_remarked_and_written() -> None:
    desired = overrides(
        situation(
            split("canary", ("a", 1), ("b", 1), ("c", 1)),
            services={"web": "present", "a": "missing", "b": "headless", "c": "present"},
        )
    )
    assert desired.overrides == wanted(("a", "1"), ("b", "1"), ("c", "1"))
    assert reasons(desired) == [("ServiceNotFound", "canary"), ("HeadlessService", "canary")]


def test_a_missing_root_is_remarked() -> None:
    desired = overrides(
        situation(split("canary", ("a", 1)), services={"web": "missing", "a": "present"})
    )
    assert reasons(desired) == [("ServiceNotFound", "canary")]
    assert "web" in messages(desired)


def test_thousands_of_missing_backends_make_one_short_remark() -> None:
    leaves = [(f"s{index}", 1) for index in range(5_000)]
    desired = overrides(
        situation(split("canary", *leaves), services={leaf: "missing" for leaf, _ in leaves})
    )
    assert reasons(desired) == [("ServiceNotFound", "canary")]
    assert "s4 and 4995 more" in messages(desired)


def test_a_split_whose_service_cannot_be_read_counts_under_its_last_known_one() -> None:
    renamed = split("canary", ("a", 1), service=7)
    before = wanted(("a", "7"))
    desired = overrides(situation(renamed, good={"uid-canary": before}))
    assert desired.overrides == before
    assert reasons(desired) == [("InvalidSplit", "canary")]


def test_good_holds_valid_splits_and_keeps_those_of_invalid_ones() -> None:
    before = wanted(("a", "7"))
    found: list[TrafficSplit] = [
        split("older", backends=BAD, created=OLD),
        split("younger", ("b", 1), created=NEW),
        split("empty", created=NEW),
        split("never", backends=BAD, created=NEW),
    ]
    here = situation(*found, good={"uid-older": before, "uid-gone": before})
    assert good(here) == {"uid-older": before, "uid-younger": wanted(("b", "1"))}
