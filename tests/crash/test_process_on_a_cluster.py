"""The same crashes against a real kube-apiserver, at commits alone: nothing holds its requests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.cluster import Cluster
from tests.crash.points import AtSync, Point
from tests.crash.run import play

FEW = [
    Point(AtSync(7, after=False)),
    Point(AtSync(11, after=True)),
    Point(AtSync(14, after=False), AtSync(4, after=True)),
]


@pytest.fixture
def server() -> str:
    """The real one."""
    return "real"


@pytest.mark.parametrize("point", FEW, ids=str)
async def test_a_crash_loses_no_row_and_the_cluster_ends_as_without_it(
    point: Point, cluster: Cluster, tmp_path: Path
) -> None:
    await play(cluster, tmp_path, point)
