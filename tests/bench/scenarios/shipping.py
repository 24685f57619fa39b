"""How fast the local log is copied into the archive, and how far behind it is meanwhile."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, Final

from reactor.audit.archive import schema
from tests.archive.fixtures import new_archive
from tests.archive.postgres import Postgres
from tests.archive.postgres import busy as on_processor
from tests.archive.shipping import level, shipping, until
from tests.bench import longlog, samples
from tests.bench.biglog import BigLog
from tests.bench.figure import Figure
from tests.bench.setting import Setting
from tests.unit.audit.logs import opened

_ROWS: Final = 300_000
_ROWS_PER_SECOND: Final = 10_000.0
_LAG: Final = 1000.0
_STEADY: Final = 1000
"""Rows a second that are written while the lag is measured."""
_STEPS: Final = 100
_LOOK: Final = 0.005
# As a server is run whose data matter; the tests' own is quicker.
_OPTIONS: Final = {
    "fsync": "on",
    "full_page_writes": "on",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
}
_COLUMNS: Final = schema.entries.columns.keys()[1:]


def run(setting: Setting) -> list[Figure]:
    """Beside one COPY of the same rows into a table without a key or an index."""
    rows = min(setting.rows, _ROWS)
    log = BigLog(folder=setting.logs, rows=rows)
    log.make()
    setting.directory.parent.mkdir(parents=True, exist_ok=True)
    postgres = Postgres(options=_OPTIONS)
    try:
        postgres.start()
        raw, rates, busy, lags = asyncio.run(_measured(postgres, setting, log.path, rows))
    finally:
        postgres.close()
    return [
        Figure.of(
            "shipping",
            "rows/s",
            rates,
            raw=raw,
            limit=_ROWS_PER_SECOND,
            rule=f"at least {_ROWS_PER_SECOND:.0f} rows/s",
            at_least=True,
            note=f"{rows} rows with documents and words, for each of which the processors are busy "
            f"for {samples.median([here for here, _ in busy]):.0f} us here and "
            f"{samples.median([there for _, there in busy]):.0f} us in the server; raw is one COPY "
            "without an index",
        ),
        Figure.of(
            f"lag of the archive at {_STEADY} rows/s, p99",
            "ms",
            [samples.percentile(lags, 99)],
            limit=_LAG,
            rule="1 s",
            note=f"from a row's commit to its being seen; median {samples.median(lags):.0f} ms, "
            f"longest {max(lags):.0f} ms of {len(lags)} commits",
        ),
    ]


async def _measured(
    postgres: Postgres, setting: Setting, log: Path, rows: int
) -> tuple[list[float], list[float], list[tuple[float, float]], list[float]]:
    raw, rates, busy = [], [], []
    for number in range(min(setting.runs, 3)):
        raw.append(await _bare(postgres, log, rows))
        name = f"shipped_{number}"
        await new_archive(postgres, name)
        rate, *spent = await _rate(postgres, name, log)
        rates.append(rate)
        busy.append((spent[0], spent[1]))
        await postgres.run(f"DROP DATABASE {name} WITH (FORCE)")
    with tempfile.TemporaryDirectory(dir=setting.directory.parent) as directory:
        await new_archive(postgres, "steady")
        lags = await _lags(
            postgres, "steady", Path(directory) / "log.sqlite", min(setting.seconds, 20.0)
        )
    return raw, rates, busy, lags


async def _bare(postgres: Postgres, log: Path, rows: int) -> float:
    await new_archive(postgres, "bare")
    archive = await postgres.connect("bare")
    try:
        await archive.execute("CREATE TABLE bare (LIKE entries)")
        began = time.perf_counter()
        await archive.copy_records_to_table("bare", records=_rows(log))
        return rows / (time.perf_counter() - began)
    finally:
        await archive.close()
        await postgres.run("DROP DATABASE bare WITH (FORCE)")


def _rows(log: Path) -> Iterator[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{log}?mode=ro", uri=True)) as connection:
        yield from connection.execute(
            f"SELECT 1, {', '.join(_COLUMNS)} FROM entries ORDER BY position"
        )


async def _rate(postgres: Postgres, database: str, log: Path) -> tuple[float, float, float]:
    """Rows a second, and microseconds of the processors for each, here and in the server."""
    began, here = time.perf_counter(), time.process_time()
    async with shipping(postgres.url(database), log) as shipper:
        await until(lambda: shipper.shipped > 0 and level(shipper)(), 600)
        seconds, here = time.perf_counter() - began, time.process_time() - here
        there = on_processor(await postgres.backend("smi-adaptor"))
        rows = shipper.shipped
    return rows / seconds, 1e6 * here / rows, 1e6 * there / rows


async def _lags(postgres: Postgres, database: str, path: Path, seconds: float) -> list[float]:
    """Milliseconds from each commit until a reader of the archive sees its last row."""
    committed: list[tuple[int, float]] = []
    seen: list[tuple[int, float]] = []
    entries = longlog.changes()
    async with (
        shipping(postgres.url(database), path) as shipper,
        opened(path, on_commit=lambda rows, _: shipper.committed(rows)) as log,
    ):
        await until(lambda: level(shipper)() and shipper.shipped > 0)
        watching = asyncio.create_task(_watch(postgres, database, seen))
        loop = asyncio.get_running_loop()
        began, rows = loop.time(), 1
        for step in range(int(seconds * _STEPS)):
            for entry in islice(entries, _STEADY // _STEPS):
                log.append(entry)
                rows += 1
            assert await log.commit()
            committed.append((rows, time.perf_counter()))
            await asyncio.sleep(max(0.0, began + (step + 1) / _STEPS - loop.time()))
        await until(lambda: bool(seen) and seen[-1][0] >= rows)
        watching.cancel()
        await asyncio.wait({watching})
    return [1000 * (next(at for there, at in seen if there >= rows) - at) for rows, at in committed]


async def _watch(postgres: Postgres, database: str, seen: list[tuple[int, float]]) -> None:
    """For ever: how many rows there are, and since when."""
    archive = await postgres.connect(database)
    try:
        while True:
            # Written with the rows themselves.
            found = await archive.fetchval("SELECT max(position) FROM runs")
            if found is not None and (not seen or found > seen[-1][0]):
                seen.append((found, time.perf_counter()))
            await asyncio.sleep(_LOOK)
    finally:
        archive.terminate()
