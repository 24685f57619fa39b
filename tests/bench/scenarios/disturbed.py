"""One change of weights at a time while the log is exported, purged, verified and asked."""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path

from reactor.audit.index.schema import beside
from tests.bench import crowd, longlog, samples
from tests.bench.bed import Bed
from tests.bench.command import Sequence
from tests.bench.crowd import Told
from tests.bench.figure import Figure
from tests.bench.setting import Setting
from tests.unit.audit.indexing import catch_up

_SPLITS = 200
_ROWS_A_SECOND = 2000
_WARM_UP = 50
_PATIENCE = 120.0
"""Seconds in which a proof has to end."""
_TIMES = 2.0
_KEPT = "-audit-retention-age=36500d"
"""The log's rows are as old as their dates say."""


def run(setting: Setting) -> list[Figure]:
    """Median and 99th percentile beside those of the same adaptor with the same log, undisturbed.

    Retention takes half of the log away meanwhile; the changes go on until the other half is proved
    once, which takes about as long.
    """
    alone: list[tuple[float, ...]] = []
    crowded: list[tuple[float, ...]] = []
    rates: list[float] = []
    notes: list[str] = []
    with Bed(setting.directory, environment=setting.environment, splits=_SPLITS) as bed:
        bed.sync()
        log = setting.directory / "long.sqlite"
        longlog.write(log, int(setting.seconds * _ROWS_A_SECOND), ended=True)
        asyncio.run(catch_up(log))
        size = log.stat().st_size + beside(log).stat().st_size
        for _ in range(setting.runs):
            _place(log, bed.adaptor.log)
            bed.adaptor.start(flags=[_KEPT, f"-audit-retention-size={4 * size}"])
            bed.adaptor.settle()
            alone.append(_changes(bed, setting.changes))
            bed.adaptor.stop()
            bed.adaptor.start(flags=[_KEPT, f"-audit-retention-size={size // 2}"])
            bed.adaptor.await_ready()
            seconds, told = asyncio.run(_crowded(bed, setting.changes))
            bed.adaptor.stop()
            crowded.append(seconds)
            rates.append(told.proved / told.seconds if told.proofs else 0.0)
            notes.append(
                f"{len(seconds)} changes, {told.answers} answers and {told.turned_away} refusals, "
                f"{told.exported >> 20} MiB exported, {told.proofs} proofs ended"
            )
    figures = []
    for percent in (50, 99):
        figures.append(
            Figure.of(
                f"one weight change while the log is read and purged, p{percent}",
                "ms",
                [1000 * samples.percentile(seconds, percent) for seconds in crowded],
                raw=[1000 * samples.percentile(seconds, percent) for seconds in alone],
                limit=(lambda raw: _TIMES * raw) if percent == 99 else None,
                rule="2 x undisturbed" if percent == 99 else "",
                note=f"{size >> 20} MiB of log; a run each: {'; '.join(notes)}"
                if percent == 99
                else "raw is undisturbed",
            )
        )
    figures.append(
        Figure.of(
            "a proof meanwhile",
            "rows/s",
            rates,
            limit=1.0,
            rule="one ends",
            at_least=True,
            note="0 when none ended",
        )
    )
    return figures


def _place(source: Path, target: Path) -> None:
    for path in (source, beside(source)):
        name = target.name + path.name.removeprefix(source.name)
        for suffix in ("-wal", "-shm"):
            target.with_name(name + suffix).unlink(missing_ok=True)
        shutil.copyfile(path, target.with_name(name))


async def _crowded(bed: Bed, changes: int) -> tuple[tuple[float, ...], Told]:
    async with crowd.reading(bed.adaptor.url, splits=bed.splits) as told:
        seconds = await asyncio.to_thread(_changes, bed, changes)
        given_up = time.monotonic() + _PATIENCE
        while not told.proofs and time.monotonic() < given_up:
            seconds += await asyncio.to_thread(_some, bed, changes)
        return seconds, told


def _changes(bed: Bed, changes: int) -> tuple[float, ...]:
    _some(bed, _WARM_UP)
    return _some(bed, changes)


def _some(bed: Bed, changes: int) -> tuple[float, ...]:
    bed.generation += 10
    return bed.watcher.call(
        Sequence(action="patch splits", changes=changes, among=_SPLITS, generation=bed.generation)
    ).seconds
