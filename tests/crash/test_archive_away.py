"""An archive that hangs, and then is away for a minute: the cluster sees nothing of it."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from tests.archive.postgres import Postgres
from tests.archive.shipping import assert_the_same
from tests.bench.samples import percentile
from tests.contract.cluster import Cluster
from tests.contract.waiting import until_async
from tests.crash import evidence
from tests.crash.load import Load
from tests.crash.victim import Victim

HANGING = 35.0
"""Seconds: longer than a server that went silent is waited for."""
AWAY = 60.0
BEFORE = AFTER = 6.0
WRITERS = 4
EVERY = 0.1
SLACK = 0.05
"""Seconds that may come on top: p99 of some hundred changes is its third slowest or so."""
MEMORY = 32 << 20
"""Bytes that the process may grow by, however much the archive lacks: it is young, and still
learns documents."""


@pytest.mark.soak
@pytest.mark.timeout(300)
async def test_an_archive_that_hangs_and_is_away_for_a_minute_delays_no_change_and_lacks_none(
    cluster: Cluster, postgres: Postgres, database: str, tmp_path: Path
) -> None:
    (tmp_path / "log").mkdir()
    log_file = tmp_path / "log" / "audit.sqlite"
    load = Load(cluster, writers=WRITERS, every=EVERY)
    async with Victim.on(log_file, cluster.kubeconfig) as victim:
        await victim.start(None, f"-archive-url={postgres.url(database)}", "-cluster-name=one")

        async def ready() -> bool:
            assert victim.alive, victim.output()
            return not await victim.unready()

        async def level() -> bool:
            lag = await victim.measured("smi_adaptor_archive_lag_seconds")
            return await reachable() and lag < 1.0

        async def reachable() -> bool:
            return await victim.measured("smi_adaptor_archive_reachable") == 1.0

        async def stretch(seconds: float) -> float:
            """Changes for so long; the p99 of what they took."""
            load.taken.clear()
            await load.seconds(seconds)
            assert not await victim.unready()
            # Each writer's last change may have come late.
            assert len(load.taken) > 0.5 * WRITERS * seconds / EVERY
            return percentile(load.taken, 99)

        await until_async(ready)
        await load.seconds(2.0)
        await until_async(level, 60.0)
        before, memory = await stretch(BEFORE), victim.memory()
        postgres.freeze()
        try:
            hanging = await stretch(HANGING)
            assert not await reachable()
        finally:
            postgres.freeze(thaw=True)
        await asyncio.to_thread(postgres.stop)
        away = await stretch(AWAY)
        assert not await reachable()
        lacking = await victim.measured("smi_adaptor_archive_lag_rows")
        grown = victim.memory() - memory
        await asyncio.to_thread(postgres.start)
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            group.create_task(load.seconds(AFTER))
            await until_async(level, 60.0)
            caught_up = time.monotonic() - began
        after = await stretch(AFTER)
        assert await level()
        await victim.terminate()
    print(
        f"p99 {before * 1e3:.1f} ms, hanging {hanging * 1e3:.1f}, away {away * 1e3:.1f}, then"
        f" {after * 1e3:.1f}; {lacking:.0f} rows lacking, there after {caught_up:.1f} s;"
        f" memory {grown / (1 << 20):+.1f} MiB"
    )
    assert max(hanging, away) <= 2 * before + SLACK
    assert grown <= MEMORY
    assert lacking >= 0.5 * Load.ROWS * WRITERS * (HANGING + AWAY) / EVERY
    await evidence.check(log_file)
    await assert_the_same(postgres, database, log_file)
