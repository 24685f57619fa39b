"""A hundred thousand changes: memory stays flat, no write too many, and the log within its size."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from reactor.audit.chain import verify
from tests.cluster.control_plane import ADAPTOR
from tests.contract.cluster import Cluster
from tests.contract.waiting import until_async
from tests.crash.load import Load
from tests.crash.victim import Victim

CHANGES = 100_000
WARM = 20_000
"""By then the journal remembers as many documents as it ever will, and its caches are full."""
GROWTH = 8 << 20
MEMORY = 128 << 20
LIMIT = 64 << 20
SLACK = 1.15
"""Of the log's limit: what is condemned goes a little later, and the WAL is beside the file."""
_WRITES = ("create", "patch", "delete")


@pytest_asyncio.fixture
async def victim(cluster: Cluster, tmp_path: Path) -> AsyncIterator[Victim]:
    """An adaptor whose log may become 64 MiB large."""
    (tmp_path / "log").mkdir()
    async with Victim.on(tmp_path / "log" / "audit.sqlite", cluster.kubeconfig) as found:
        await found.start(None, "-audit-retention-size=64MiB")
        yield found


def _size(log_file: Path) -> int:
    return sum(path.stat().st_size for path in log_file.parent.glob("audit.sqlite*"))


class _Counts:
    """Rows that were ever written, although the log forgets them; look at it now and then."""

    def __init__(self, log_file: Path) -> None:
        self._log_file = log_file
        self._others: set[int] = set()
        self.purged = 0

    def changes(self) -> int:
        """Rows about changes so far."""
        uri = f"file:{self._log_file}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            newest, left = connection.execute("SELECT max(seq), count(*) FROM entries").fetchone()
            # Purges are a minute apart: none is forgotten before it was seen.
            self._others.update(
                seq
                for (seq,) in connection.execute(
                    "SELECT seq FROM entries WHERE kind IN ('started', 'purged', 'stopped')"
                )
            )
        self.purged = newest - left
        return int(newest - len(self._others))


@pytest.mark.soak
@pytest.mark.timeout(1800)
async def test_a_hundred_thousand_changes_leave_memory_and_log_as_they_were(
    cluster: Cluster, victim: Victim
) -> None:
    sandbox = cluster.sandbox
    assert sandbox is not None
    writes: Counter[str] = Counter()
    load = Load(cluster, writers=16)
    counts = _Counts(victim.log_file)
    largest = 0
    began = time.monotonic()

    async def stretch(changes: int) -> None:
        nonlocal largest
        await load.times(changes)
        calls = sandbox.asked(resource="serviceprofiles", user=ADAPTOR)
        writes.update(call.verb for call in calls if call.verb in _WRITES)
        sandbox.requests.clear()
        largest = max(largest, _size(victim.log_file))
        counts.changes()

    while load.changes < WARM:
        await stretch(1000)
    warm = victim.memory()
    while load.changes < CHANGES:
        await stretch(1000)
        print(
            f"{load.changes} changes, {load.changes / (time.monotonic() - began):.0f}/s,"
            f" {victim.memory() >> 20} MiB, log {_size(victim.log_file) >> 20} MiB,"
            f" tests {psutil.Process().memory_info().rss >> 20} MiB"
        )
    memory = victim.memory()

    async def recorded() -> bool:
        return counts.changes() >= load.changes * Load.ROWS

    await until_async(recorded)
    await victim.terminate()
    assert counts.changes() == load.changes * Load.ROWS
    assert writes.total() == load.changes
    assert memory - warm <= GROWTH
    assert memory <= MEMORY
    assert counts.purged > 0
    assert largest <= LIMIT * SLACK
    assert (await verify(str(victim.log_file))).problem is None
