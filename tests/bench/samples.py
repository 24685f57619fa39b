"""The bench's statistics, all of them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence


def median(values: Sequence[float]) -> float:
    """The middle value, or the mean of the two in the middle. Raises ValueError when empty."""
    if not values:
        raise ValueError("no values, no median")
    return statistics.median(values)


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile: the smallest value that `percent` of all do not exceed.

    It is always one of the values, so nothing is invented between a fast and a slow one.
    """
    if not values:
        raise ValueError("no values, no percentile")
    if not 0 < percent <= 100:
        raise ValueError(f"a percentile lies above 0 and up to 100, not at {percent}")
    # The product of two floats can lie a hair above a whole number: 99.9 / 100 * 1000.
    rank = math.ceil(round(percent * len(values) / 100, 6))
    return sorted(values)[rank - 1]


def spread(values: Sequence[float]) -> tuple[float, float]:
    """The smallest and the largest value."""
    if not values:
        raise ValueError("no values, no spread")
    return min(values), max(values)


def growth(values: Sequence[float]) -> float:
    """By how much the second half's median lies above the first half's: 0.1 is 10 % more."""
    if len(values) < 2:
        raise ValueError("growth needs two values at least")
    middle = len(values) // 2
    return median(values[middle:]) / median(values[:middle]) - 1
