from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench import samples

VALUES = st.lists(st.floats(min_value=0, max_value=1e6), min_size=1, max_size=50)


def test_the_median_of_five_runs_is_the_third_in_order() -> None:
    assert samples.median([5.0, 1.0, 9.0, 2.0, 3.0]) == 3.0


def test_the_99_9th_percentile_of_a_thousand_leaves_one_value_above() -> None:
    values = [float(number) for number in range(1, 1001)]
    assert samples.percentile(values, 99.9) == 999.0


def test_the_99th_percentile_of_few_values_is_the_largest() -> None:
    assert samples.percentile([1.0, 2.0, 30.0], 99) == 30.0


@given(VALUES, st.floats(min_value=0.1, max_value=100))
def test_a_percentile_is_one_of_the_values_and_enough_do_not_exceed_it(
    values: list[float], percent: float
) -> None:
    found = samples.percentile(values, percent)
    assert found in values
    assert sum(value <= found for value in values) >= percent / 100 * len(values) - 1e-6


@given(VALUES)
def test_the_median_lies_within_the_spread(values: list[float]) -> None:
    low, high = samples.spread(values)
    assert low <= samples.median(values) <= high


def test_growth_compares_the_medians_of_both_halves() -> None:
    assert samples.growth([100.0, 100.0, 110.0, 110.0]) == pytest.approx(0.1)
    assert samples.growth([100.0, 100.0, 100.0]) == 0


@pytest.mark.parametrize("percent", [0, -1, 100.1])
def test_a_percentile_outside_the_hundred_is_refused(percent: float) -> None:
    with pytest.raises(ValueError, match="percentile"):
        samples.percentile([1.0], percent)


def test_nothing_measured_is_no_figure() -> None:
    with pytest.raises(ValueError, match="no median"):
        samples.median([])
    with pytest.raises(ValueError, match="no percentile"):
        samples.percentile([], 50)
    with pytest.raises(ValueError, match="no spread"):
        samples.spread([])
