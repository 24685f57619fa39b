from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bench import report
from tests.bench.figure import Figure

REACHED = Figure.of(
    "cold sync", "s", [2.0, 2.5, 2.2], raw=[1.0, 1.1, 0.9], limit=lambda raw: 1.3 * raw + 1.5
)
MISSED = Figure.of("journal", "rows/s", [7000.0], limit=8000.0, at_least=True, note="slow disk")
TOLD = Figure.of("start", "ms", [40.0], raw=[20.0])


def test_a_limit_follows_the_median_of_raw_in_the_same_run() -> None:
    assert REACHED.limit == pytest.approx(2.8)
    assert REACHED.value == 2.2
    assert REACHED.verdict == "reached"


def test_a_rate_must_not_fall_below_its_limit() -> None:
    assert MISSED.verdict == "missed"


def test_a_figure_without_a_limit_only_tells() -> None:
    assert TOLD.verdict == "told"


def test_a_limit_that_depends_on_raw_needs_raw() -> None:
    with pytest.raises(ValueError, match="needs runs of raw"):
        Figure.of("cold sync", "s", [1.0], limit=lambda raw: raw)


def test_the_table_shows_every_figure_with_its_spread_limit_and_note() -> None:
    lines = report.table([REACHED, MISSED, TOLD]).splitlines()
    assert lines[2].split()[:6] == ["cold", "sync", "2.2", "s", "2-2.5", "1"]
    assert "MISSED" in lines[3]
    assert "one run" in lines[3]
    assert lines[-1] == "journal: slow disk"


def test_the_last_line_counts_limits_and_names_what_was_missed_or_not_measured() -> None:
    closing = report.closing([REACHED, MISSED, TOLD], {"burst": "the loader ended"})
    assert closing == "1 of 2 limits reached. missed: journal. not measured: burst."


def test_the_json_keeps_every_single_value(tmp_path: Path) -> None:
    path = tmp_path / "results" / "run.json"
    report.write(path, environment={"cores": 2}, figures=[REACHED], failures={})
    written = json.loads(path.read_text(encoding="utf-8"))
    assert written["environment"] == {"cores": 2}
    assert written["figures"][0]["values"] == [2.0, 2.5, 2.2]
    assert written["figures"][0]["verdict"] == "reached"
