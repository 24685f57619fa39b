from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench import report, wheel
from tests.bench.__main__ import RESULTS, setting
from tests.bench.scenarios import long


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.usefixtures("cluster_programs")
def test_memory_stays_flat_over_100000_changes(request: pytest.FixtureRequest) -> None:
    RESULTS.mkdir(exist_ok=True)
    # Beside the bench's results: a log in memory would be no log on a disk.
    directory = Path(RESULTS / f"soak-{request.node.name}")
    figures = long.run(setting(directory=directory, environment=wheel.install(), long=True))
    assert [f.name for f in figures if f.verdict == "missed"] == [], report.table(figures)
