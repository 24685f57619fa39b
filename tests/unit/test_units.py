"""Durations and sizes."""

from __future__ import annotations

import pytest

from reactor import units


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30d", 2_592_000),
        ("12h", 43_200),
        ("90m", 5_400),
        ("1h30m", 5_400),
        ("1.5h", 5_400),
        ("2w", 1_209_600),
        ("500ms", 0.5),
        ("1m0s", 60),
    ],
)
def test_a_duration_is_read_in_gos_grammar_with_days_and_weeks(text: str, seconds: float) -> None:
    assert units.duration(text) == seconds


@pytest.mark.parametrize("text", ["", "30", "d", "30 d", "-1h", "1y", "1h-", "٣d"])
def test_a_wrong_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="30d, 12h or 90m"):
        units.duration(text)


def test_a_duration_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="longer than 0"):
        units.duration("0s")


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("1GiB", 2**30),
        ("512MiB", 2**29),
        ("512Mi", 2**29),
        ("2G", 2 * 10**9),
        ("1.5gib", 3 * 2**29),
        ("1048576", 2**20),
        ("10 MB", 10**7),
    ],
)
def test_a_size_is_read_in_powers_of_two_and_of_ten(text: str, count: int) -> None:
    assert units.size(text) == count


@pytest.mark.parametrize("text", ["", "GiB", "1XB", "-1GiB", "1 G B"])
def test_a_wrong_size_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="512MiB, 1GiB or 2G"):
        units.size(text)
