"""A journal whose process is killed, on a disk that loses what was never synced."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from reactor.audit.chain import verify
from tests.crash.durable import Disk


def _run(
    disk: Disk, *, sync: int, after: bool, synchronous: str = "FULL", deaf: bool = False
) -> set[str]:
    """Run a writer until it is killed at that sync; the decisions that it was told are durable."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.crash.writer", disk.live / "log.sqlite", "8", synchronous],
        env={**os.environ, **disk.environment(kill_at_sync=sync, after=after, deaf=deaf)},
        stdout=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    assert done.returncode == -9
    *whole, _ = done.stdout.decode().split("\n")
    return {line for line in whole if not line.startswith("open ")}


def _decisions(path: Path, kind: str) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        found = connection.execute("SELECT reconcile FROM entries WHERE kind = ?", (kind,))
        return [reconcile for (reconcile,) in found]


async def _crash(disk: Disk, times: int, seed: int) -> None:
    path = disk.live / "log.sqlite"
    chance = random.Random(seed)
    promised: set[str] = set()
    for _ in range(times):
        promised |= _run(disk, sync=chance.randint(12, 80), after=chance.random() < 0.5)
        disk.lose_power()
        kept = _decisions(path, "translated")
        assert len(set(kept)) == len(kept)
        assert promised <= set(kept)
        assert (await verify(str(path))).problem is None
    # All that earlier crashes left open was settled, once, by the start that followed.
    with closing(sqlite3.connect(path)) as connection:
        (newest,) = connection.execute("SELECT max(id) FROM runs").fetchone()
    settled = _decisions(path, "synced")
    earlier = {name for name in kept if not name.startswith(newest)}
    assert len(set(settled)) == len(settled)
    assert earlier <= set(settled)


async def test_no_decision_that_was_durable_is_lost_when_killed_at_any_sync(tmp_path: Path) -> None:
    await _crash(Disk(tmp_path), times=5, seed=1)


@pytest.mark.soak
@pytest.mark.timeout(600)
async def test_a_hundred_crashes_lose_nothing(tmp_path: Path) -> None:
    await _crash(Disk(tmp_path), times=100, seed=2)


async def test_without_syncs_decisions_are_lost_so_the_test_above_can_fail(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    promised: set[str] = set()
    for _ in range(3):
        # Only checkpoints of other connections sync now: the writer is killed by its output.
        promised |= _killed_while_talking(disk)
        disk.lose_power()
    assert not promised <= set(_decisions(disk.live / "log.sqlite", "translated"))


def _killed_while_talking(disk: Disk) -> set[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.crash.writer", disk.live / "log.sqlite", "8", "OFF"],
        env={**os.environ, **disk.environment()},
        stdout=subprocess.PIPE,
    )
    with process:
        assert process.stdout is not None
        lines = [process.stdout.readline().decode().strip() for _ in range(200)]
        process.kill()
    return {line for line in lines if line and not line.startswith("open ")}


async def test_a_disk_that_lies_about_its_syncs_loses_decisions(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    promised = _run(disk, sync=40, after=True, deaf=True)
    disk.lose_power()
    assert promised
    assert not (disk.live / "log.sqlite").exists()
