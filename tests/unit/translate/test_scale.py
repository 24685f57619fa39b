"""Weights fit what Linkerd reads, in the ratio that was asked for."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor.model import quantity
from reactor.translate.scale import HIGHEST_SUM, scale

MILLI = 10**6
MOST = HIGHEST_SUM * 1000
sizes = st.one_of(
    st.just(0),
    st.integers(1, 10**6),
    st.integers(1, 1000).map(lambda value: value * 10**9),
    st.integers(0, 2 * HIGHEST_SUM).map(lambda value: value * 10**9),
    st.integers(1, 10**16),
    st.integers(1, 10**1000),
)


def millis(nanos: list[int]) -> list[int]:
    found = scale(nanos).millis
    return [value // MILLI for value in nanos] if found is None else list(found)


def texts(*weights: str) -> list[str]:
    nanos = [quantity.parse(weight).nanos for weight in weights]
    return [quantity.from_nanos(value * MILLI).text for value in millis(nanos)]


@given(st.lists(sizes, min_size=1, max_size=12))
def test_what_comes_out_fits(nanos: list[int]) -> None:
    assert sum(millis(nanos)) <= MOST


@given(st.lists(sizes, min_size=1, max_size=12))
def test_zero_stays_zero_and_nothing_else_becomes_it(nanos: list[int]) -> None:
    assert [value == 0 for value in millis(nanos)] == [value == 0 for value in nanos]


@given(st.lists(sizes, min_size=2, max_size=12))
def test_a_heavier_weight_never_becomes_the_lighter_one(nanos: list[int]) -> None:
    found = millis(nanos)
    pairs = sorted(zip(nanos, found, strict=True))
    assert all(left[1] <= right[1] for left, right in pairwise(pairs))
    assert len({*pairs}) == len({*nanos})


@given(st.lists(sizes, min_size=1, max_size=12))
def test_it_settles(nanos: list[int]) -> None:
    assert scale([value * MILLI for value in millis(nanos)]).millis is None


@given(st.lists(st.integers(1, 10**6).map(lambda value: value * 10**9), min_size=2, max_size=12))
def test_ratios_are_as_exact_as_one_milli_allows(nanos: list[int]) -> None:
    found = millis(nanos)
    share = Fraction(sum(found), sum(nanos))
    for have, value in zip(found, nanos, strict=True):
        # A milli for rounding down, and what the sum lost by rounding, in proportion.
        assert abs(have - value * share) <= 1 + len(nanos) * Fraction(value, sum(nanos))


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=8), st.integers(1, 6))
def test_a_power_of_ten_too_big_is_divided_away_exactly(parts: list[int], power: int) -> None:
    nanos = [part * MILLI * 10**power for part in parts]
    found = millis(nanos)
    if sum(nanos) > HIGHEST_SUM * 10**9 and sum(parts) * 10 <= MOST:
        assert all(
            left * parts[0] == right * found[0] for left, right in zip(found, parts, strict=True)
        )


@pytest.mark.parametrize(
    ("given_", "written"),
    [
        (["500", "500"], ["500", "500"]),
        (["1", "429495"], ["1", "429495"]),
        (["500000", "500000"], ["50k", "50k"]),
        (["1000000", "3000000"], ["100k", "300k"]),
        (["429496", "429496"], ["42949600m", "42949600m"]),
        (["429496", "1"], ["42949600m", "100m"]),
        (["429496001m", "1"], ["429495", "999m"]),
        (["1e300", "1"], ["429495999m", "1m"]),
        (["1e300", "1e300"], ["100k", "100k"]),
        (["1e300", "0"], ["100k", "0"]),
        (["500u", "500u"], ["5m", "5m"]),
        (["1n", "1n"], ["1m", "1m"]),
        (["1n", "429496"], ["1m", "429495999m"]),
        (["1n", "400000"], ["1m", "400k"]),
        (["0.33333333", "0.66666667"], ["33333333m", "66666667m"]),
        (["1.0005", "1"], ["10005m", "10"]),
        (["0.1m", "0"], ["1m", "0"]),
    ],
)
def test_examples(given_: list[str], written: list[str]) -> None:
    assert texts(*given_) == written


def test_many_weights_far_too_big_and_far_too_fine_together_fit() -> None:
    nanos = [1] * 30_000 + [10**900] * 10
    found = millis(nanos)
    assert sum(found) <= MOST
    assert found[:30_000] == [1] * 30_000
    assert len({*found[30_000:]}) == 1
