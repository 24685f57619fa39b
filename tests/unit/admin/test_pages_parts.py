"""What the pages are made of: bars, the step chart, times, an entry in one line."""

from __future__ import annotations

import pytest

from reactor.admin.pages import paths
from reactor.admin.pages.bars import bars
from reactor.admin.pages.chart import chart
from reactor.admin.pages.gist import gist
from reactor.admin.pages.moments import ago, moment
from tests.unit.admin.parts import row

SECOND = 1_000_000


def test_a_bar_is_a_share_of_what_can_be_read() -> None:
    found = bars([("a", "750m"), ("b", "0.25"), ("c", None), ("d", "typo"), ("e", "-1")])
    assert [bar.share for bar in found] == [75.0, 25.0, None, None, 0.0]
    assert [bar.percent.replace("\N{NO-BREAK SPACE}", " ") for bar in found] == [
        "75 %",
        "25 %",
        "",
        "",
        "0 %",
    ]
    assert [bar.share for bar in bars([("a", "0"), ("b", "0")])] == [0.0, 0.0]


def test_the_chart_steps_up_and_down_and_leaves_a_gap_where_nothing_is_known() -> None:
    found = chart(
        [
            (0, {"a": 100.0}),
            (SECOND, {"a": 50.0, "b": 50.0}),
            (2 * SECOND, None),
            (4 * SECOND, {"b": 100.0}),
        ]
    )
    assert found is not None
    a, b = found.series
    assert [(round(line.x1), round(line.x2)) for line in a.lines] == [(0, 22), (22, 22), (22, 44)]
    top, middle, bottom = (y for _, y in found.grid)
    assert [(line.y1, line.y2) for line in a.lines] == [(top, top), (top, middle), (middle, middle)]
    assert [(round(line.x1), round(line.x2)) for line in b.lines] == [(22, 44), (88, 100)]
    assert (a.last, b.last) == (None, 100.0)
    assert found.ticks == [(0.0, 0), (88.0, 4 * SECOND)]
    assert bottom < found.height


def test_a_chart_of_one_change_is_a_flat_line_and_one_of_nothing_is_none() -> None:
    found = chart([(5, {"a": 100.0})])
    assert found is not None
    assert [(line.x1, line.x2) for line in found.series[0].lines] == [(0.0, 100.0)]
    assert chart([(5, None)]) is None
    assert chart([]) is None


def test_times_are_utc_and_tell_how_long_ago() -> None:
    assert moment(1_600_000_000_123_456) == "2020-09-13 12:26:40.123 UTC"
    told = [ago(0, seconds * SECOND) for seconds in (0, 1, 59, 60, 7200, 200_000)]
    assert told == ["just now", "1 second ago", "59 seconds ago", "1 minute ago", "2 hours ago",
                    "2 days ago"]  # fmt: skip
    assert ago(SECOND, 0) == "just now"


@pytest.mark.parametrize(
    ("kind", "detail", "said"),
    [
        ("observed", '{"object":"trafficsplits","name":"s","type":"added"}', "split s added"),
        (
            "observed",
            '{"object":"serviceprofiles","name":"p","type":"echo","gone":true}',
            "profile p: our own removal came back",
        ),
        (
            "translated",
            '{"plan":{"type":"patch"},"desired":{"winner":"s","findings":'
            '[{"reason":"ShadowedBy","message":"by s"}]}}',
            "decided by s; plan: patch; ShadowedBy: by s",
        ),
        ("translated", '{"plan":"unchanged"}', "plan: unchanged"),
        (
            "synced",
            '{"attempt":2,"status":409,"message":"it moved"}',
            "attempt 2; HTTP 409; it moved",
        ),
        ("gap", '{"rows":3,"first":1,"last":2,"reason":"disk full"}', "3 rows disk full"),
        ("started", "{}", ""),
        ("translated", '{"desired":[]}', ""),
    ],
)
def test_an_entry_is_told_in_one_line(kind: str, detail: str, said: str) -> None:
    assert gist(row(1, kind=kind, detail=detail)) == said


def test_names_can_not_break_out_of_an_address() -> None:
    assert paths.split("a/b", "c?d#e") == "/splits/a%2Fb/c%3Fd%23e"
    assert paths.log(split="a&b=c") == "/log?split=a%26b%3Dc"
