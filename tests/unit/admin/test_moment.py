"""Times in and out."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor.admin import moment

NOW = 1_628_075_075_000_000  # 2021-08-04T11:04:35Z


@pytest.mark.parametrize(
    ("text", "seconds"), [("-90s", 90), ("-30m", 1800), ("-2h", 7200), ("-7d", 604_800)]
)
def test_relative_times_count_back_from_now(text: str, seconds: int) -> None:
    assert moment.parse(text, now=NOW) == NOW - seconds * 1_000_000


@pytest.mark.parametrize(
    "text",
    [
        "2021-08-04T11:04:35Z",
        "2021-08-04t11:04:35z",
        "2021-08-04T11:04:35.000000999Z",
        "2021-08-04T13:04:35+02:00",
        "2021-08-04T13:04:35 02:00",
        "2021-08-04T05:34:35-05:30",
        "2021-08-04T11:04:35.0-00:00",
    ],
)
def test_the_same_instant_can_be_written_in_many_ways(text: str) -> None:
    assert moment.parse(text, now=0) == NOW


def test_a_leap_second_is_the_next_minute() -> None:
    assert moment.text(moment.parse("2016-12-31T23:59:60Z", now=0)).startswith(
        "2017-01-01T00:00:00"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2h",
        "-2w",
        "-2h\n",
        "-1234567s",
        "2021-08-04",
        "2021-08-04T11:04:35",
        "2021-13-04T11:04:35Z",
        "2021-02-30T11:04:35Z",
        "2021-08-04T24:00:00Z",
        "2021-08-04T11:04:35+24:00",
        "0000-08-04T11:04:35Z",
        "٢٠٢١-08-04T11:04:35Z",
    ],
)
def test_what_is_no_time_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no time|offset of more"):
        moment.parse(text, now=NOW)


@given(st.text(max_size=40))
def test_no_text_raises_anything_but_value_errors(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(moment.parse(text, now=NOW), int)


@given(st.datetimes(), st.integers(-1439, 1439))
def test_what_is_written_is_read_back(local: datetime, minutes: int) -> None:
    micros = (local - datetime(1970, 1, 1)) // timedelta(microseconds=1)
    sign = "-" if minutes < 0 else "+"
    offset = f"{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    text = local.isoformat(timespec="microseconds") + offset
    assert moment.parse(text, now=0) == micros - minutes * 60_000_000
    assert moment.parse(moment.text(micros), now=0) == micros
    assert moment.text(micros) == local.replace(tzinfo=UTC).strftime("%Y").rjust(4, "0") + (
        local.isoformat(timespec="microseconds")[4:] + "Z"
    )
