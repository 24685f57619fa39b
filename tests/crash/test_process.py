"""The whole process, killed at the instant of a write or of a commit, on a forgetful disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.cluster import Cluster
from tests.crash.points import AtSync, AtWrite, Point, drawn
from tests.crash.run import Run, play
from tests.crash.script import STEPS

FEW = [
    Point(AtWrite(1, "lost")),  # a create
    Point(AtWrite(2, "done")),  # another one
    Point(AtWrite(3, "late")),  # a patch
    Point(AtWrite(4, "lost")),  # a delete and a create, together
    Point(AtWrite(6, "done")),  # the repair of removed overrides
    Point(AtWrite(9, "done"), AtSync(3, after=True)),  # a delete, and again at the next start
    Point(AtSync(2, after=False)),  # the log is being made
    Point(AtSync(8, after=False)),
    Point(AtSync(13, after=True)),
    Point(AtSync(15, after=True)),
]


@pytest.mark.parametrize("point", FEW, ids=str)
async def test_a_crash_loses_no_row_and_the_cluster_ends_as_without_it(
    point: Point, cluster: Cluster, tmp_path: Path
) -> None:
    await play(cluster, tmp_path, point)


@pytest.mark.soak
@pytest.mark.parametrize("point", drawn(100, seed=20), ids=str)
async def test_a_hundred_crashes_lose_no_row(
    point: Point, cluster: Cluster, tmp_path: Path
) -> None:
    await play(cluster, tmp_path, point, must_reach=False)


async def test_without_a_crash_the_script_ends_as_it_says(cluster: Cluster, tmp_path: Path) -> None:
    async with Run.on(cluster, tmp_path) as run:
        assert not await run.crash(None)
        await run.recover()
        await run.check()


async def test_a_disk_that_lies_about_its_syncs_is_found_out(
    cluster: Cluster, tmp_path: Path
) -> None:
    async with Run.on(cluster, tmp_path) as run:
        await run.trust_a_liar(STEPS[0])

        assert run.lost().total() == 1
