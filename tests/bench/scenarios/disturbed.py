"""One change of weights at a time while the log is exported, purged, verified and asked."""

from __future__ import annotations

import asyncio
import shutil
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
_ROWS_A_SECOND = 4000
_WARM_UP = 50
_TIMES = 2.0
_KEPT = "-audit-retention-age=36500d"
"""The log's rows are as old as their dates say."""


def run(setting: Setting) -> list[Figure]:
    """Median and 99th percentile beside those of the same adaptor with the same log, undisturbed.

    Retention takes half of the log away meanwhile, which is enough for all of the changes.
    """
    alone: list[tuple[float, ...]] = []
    crowded: list[tuple[float, ...]] = []
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
            notes.append(
                f"{told.answers} answers and {told.turned_away} refusals, "
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
    return figures


def _place(source: Path, target: Path) -> None:
    for path in (source, beside(source)):
        name = target.name + path.name.removeprefix(source.name)
        for suffix in ("-wal", "-shm"):
            target.with_name(name + suffix).unlink(missing_ok=True)
        shutil.copyfile(path, target.with_name(name))


async def _crowded(bed: Bed, changes: int) -> tuple[tuple[float, ...], Told]:
    async with crowd.reading(bed.adaptor.url, splits=bed.splits) as told:
        return await asyncio.to_thread(_changes, bed, changes), told


def _changes(bed: Bed, changes: int) -> tuple[float, ...]:
    for count in (_WARM_UP, changes):
        bed.generation += 10
        seconds = bed.watcher.call(
            Sequence(action="patch splits", changes=count, among=_SPLITS, generation=bed.generation)
        ).seconds
    return seconds
