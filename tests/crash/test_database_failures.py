"""A database that fails under load: traffic goes on, and the log tells the truth afterwards."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from tests.contract.cluster import Cluster
from tests.contract.waiting import until_async
from tests.crash import evidence
from tests.crash.evidence import Row
from tests.crash.load import Load
from tests.crash.victim import Victim

QUICK = 4.0
"""Seconds in which a change becomes its profile while the database fails: the first ones wait a
second for their commit. It fails for longer."""
MEMORY = 96 << 20
"""Bytes that the process may grow by: rows of 32 MiB wait, and what they are made of."""
LARGE = 240 << 10
BUFFER = 32 << 20
ROWS = ("observed", "translated", "synced")


class Account:
    """What was to be recorded, against what the log holds.

    ``fetch`` gives the file to read.
    """

    def __init__(self, victim: Victim, load: Load, fetch: Callable[[], Path] | None = None) -> None:
        self._victim = victim
        self._load = load
        self._fetch = fetch or (lambda: victim.log_file)

    def kept(self) -> int:
        """Rows about changes that are in the log."""
        return sum(len(evidence.rows(self._fetch(), kind)) for kind in ROWS)

    def gaps(self) -> list[Row]:
        """What the log says that it lost."""
        return [row["detail"] for row in evidence.rows(self._fetch(), "gap")]

    def lost(self) -> int:
        """Rows that it says are lost."""
        return sum(gap["rows"] for gap in self.gaps())

    async def balances(self) -> None:
        """Wait until every row is in the log, or in one of its gaps, and end the process."""
        expected = self._load.changes * Load.ROWS

        async def even() -> bool:
            # Not by its rows yet: a reader of so many would be in the writer's way.
            waiting = await self._victim.measured("smi_adaptor_journal_buffer_rows")
            return waiting == 0 and not await self._victim.unready()

        await until_async(even)
        await until_async(self._complete)
        await self._victim.terminate()
        assert self.kept() + self.lost() == expected
        await evidence.check(self._fetch())

    async def _complete(self) -> bool:
        return self.kept() + self.lost() >= self._load.changes * Load.ROWS


@asynccontextmanager
async def _running(
    cluster: Cluster, log_file: Path, wrapper: tuple[str, ...] = ()
) -> AsyncIterator[Victim]:
    async with Victim.on(log_file, cluster.kubeconfig, wrapper=wrapper) as victim:
        await victim.start()

        async def ready() -> bool:
            assert victim.alive, victim.output()
            return not await victim.unready()

        await until_async(ready)
        yield victim


@pytest.fixture
def log_file(tmp_path: Path) -> Path:
    """In a directory of its own."""
    (tmp_path / "log").mkdir()
    return tmp_path / "log" / "audit.sqlite"


async def _through_a_lock(
    cluster: Cluster, log_file: Path, seconds: float, *, padding: int = 0, writers: int = 4
) -> list[Row]:
    """Change splits for so long, and more than fits if they are large; gives the gaps."""
    async with _running(cluster, log_file) as victim:
        load = Load(cluster, padding=padding, writers=writers)
        await load.times(20)
        before = victim.memory()
        with closing(sqlite3.connect(log_file, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            locked = time.time_ns() // 1000
            await load.seconds(seconds)
            if padding:
                await load.times(BUFFER // padding)  # each is in two rows
            reasons = await victim.unready()
            grown = victim.memory() - before
            unlocked = time.time_ns() // 1000
            other.execute("ROLLBACK")
        account = Account(victim, load)
        await account.balances()
        assert load.slowest < QUICK
        assert grown < MEMORY
        words = "is locked by another program; waiting for it"
        assert words in reasons
        assert words in victim.output()
        assert "audit log is kept again" in victim.output()
        gaps = account.gaps()
        for gap in gaps:
            assert locked <= gap["first"] <= gap["last"] <= unlocked + 1_000_000
            assert words in gap["reason"]
        return gaps


async def test_no_row_is_lost_while_another_program_locks_the_database(
    cluster: Cluster, log_file: Path
) -> None:
    assert await _through_a_lock(cluster, log_file, 5.0, writers=1) == []


async def test_what_does_not_fit_while_it_is_locked_is_counted_in_a_gap(
    cluster: Cluster, log_file: Path
) -> None:
    assert await _through_a_lock(cluster, log_file, 0.0, padding=LARGE)


@pytest.mark.soak
@pytest.mark.parametrize("padding", [0, LARGE])
async def test_half_a_minute_of_a_locked_database_is_told_as_it_was(
    cluster: Cluster, log_file: Path, padding: int
) -> None:
    # More than fits, with small splits too where the machine is quick.
    await _through_a_lock(cluster, log_file, 30.0, padding=padding)


class SmallDisk:
    """A file system of its own for one process, which outlives that process for us to read."""

    def __init__(self, directory: Path, size: int) -> None:
        mount = f'mount -t tmpfs -o size={size} none "$0" && exec "$@"'
        user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
        self.wrapper = ("unshare", *user, "--mount", "sh", "-c", mount, str(directory))
        self._directory = directory
        self._copy = directory.with_name("copy")
        self._descriptor: int | None = None

    def of(self, pid: int) -> Path:
        """The directory as that process sees it."""
        if self._descriptor is None:
            seen = f"/proc/{pid}/root{self._directory}"
            self._descriptor = os.open(seen, os.O_RDONLY | os.O_DIRECTORY)
        return Path(f"/proc/self/fd/{self._descriptor}")

    def fetch(self) -> Path:
        """A copy of its log: SQLite itself would follow the link to our own file system."""
        self._copy.mkdir(exist_ok=True)
        for name in ("audit.sqlite", "audit.sqlite-wal"):
            source = Path(f"/proc/self/fd/{self._descriptor}") / name
            if source.exists():
                shutil.copy(source, self._copy / name)
            else:
                (self._copy / name).unlink(missing_ok=True)
        return self._copy / "audit.sqlite"

    def close(self) -> None:
        """Let it go."""
        if self._descriptor is not None:
            os.close(self._descriptor)


@pytest.fixture
def small_disk(log_file: Path) -> Iterator[SmallDisk]:
    """In the place of the log's directory."""
    disk = SmallDisk(log_file.parent, 96 << 20)
    yield disk
    disk.close()


async def test_a_full_disk_stops_no_change_and_the_gap_tells_what_is_lost(
    cluster: Cluster, log_file: Path, small_disk: SmallDisk
) -> None:
    async with _running(cluster, log_file, small_disk.wrapper) as victim:
        load = Load(cluster, padding=LARGE)
        await load.times(20)
        ballast = small_disk.of(victim.pid) / "ballast"
        _fill(ballast)
        full = time.time_ns() // 1000
        before = victim.memory()
        await load.times(BUFFER // LARGE)
        reasons = await victim.unready()
        grown = victim.memory() - before
        emptied = time.time_ns() // 1000
        ballast.unlink()
        account = Account(victim, load, small_disk.fetch)
        await account.balances()
        assert load.slowest < QUICK
        assert grown < MEMORY
        words = "is full; make room on it"
        assert words in reasons
        assert words in victim.output()
        assert "audit log is kept again" in victim.output()
        gaps = account.gaps()
        assert gaps
        for gap in gaps:
            assert full <= gap["first"] <= gap["last"] <= emptied + 1_000_000
            assert words in gap["reason"]


def _fill(ballast: Path) -> None:
    descriptor = os.open(ballast, os.O_WRONLY | os.O_CREAT)
    try:
        while True:
            os.write(descriptor, bytes(4096))
    except OSError:
        os.close(descriptor)


@pytest.mark.parametrize("pattern", ["audit.sqlite", "audit.sqlite*"])
async def test_a_file_that_is_deleted_under_load_comes_back_whole(
    cluster: Cluster, log_file: Path, pattern: str
) -> None:
    async with _running(cluster, log_file) as victim:
        load = Load(cluster)
        await load.times(50)
        for path in log_file.parent.glob(pattern):
            path.unlink()
        await load.run(lambda: "is kept again" in victim.output())
        await load.times(50)
        account = Account(victim, load)
        await account.balances()
        assert load.slowest < QUICK
        assert account.gaps() == []
        assert "is gone; writing a fresh one" in victim.output()
        assert "audit log is kept again" in victim.output()
