"""One change of weights at a time: from request sent to profile seen by a watcher."""

from __future__ import annotations

from tests.bench import samples
from tests.bench.bed import Bed
from tests.bench.command import Change, Sequence
from tests.bench.figure import Figure
from tests.bench.setting import Setting

_SPLITS = 1000
_WARM_UP = 50


def run(setting: Setting) -> list[Figure]:
    """Median and 99th percentile, against the median of patching a profile without an adaptor."""
    raw: list[float] = []
    raw_slow: list[float] = []
    middle: list[float] = []
    slow: list[float] = []
    with Bed(setting.directory, environment=setting.environment, splits=_SPLITS) as bed:
        bed.sync()
        for _ in range(setting.runs):
            alone = _changes(bed, "patch profiles", setting.changes)
            raw.append(samples.median(alone))
            raw_slow.append(samples.percentile(alone, 99))
            # The splits follow, so that the adaptor finds nothing to repair.
            bed.write("patch splits", count=setting.changes)
            bed.adaptor.start()
            bed.adaptor.settle()
            seconds = _changes(bed, "patch splits", setting.changes)
            bed.adaptor.stop()
            middle.append(samples.median(seconds))
            slow.append(samples.percentile(seconds, 99))
    raw, middle, slow = ([1000 * value for value in values] for values in (raw, middle, slow))
    return [
        Figure.of(
            "one weight change, p50",
            "ms",
            middle,
            raw=raw,
            limit=lambda raw: 2 * raw + 2,
            rule="2 x raw's p50 + 2 ms",
            note=f"{setting.changes} changes a run, one after the other, among {_SPLITS} splits",
        ),
        Figure.of(
            "one weight change, p99",
            "ms",
            slow,
            raw=raw,
            limit=lambda raw: 3 * raw + 2,
            rule="3 x raw's p50 + 2 ms",
            note=f"raw's own p99: {1000 * samples.median(raw_slow):.1f} ms",
        ),
    ]


def _changes(bed: Bed, action: Change, changes: int) -> tuple[float, ...]:
    _sequence(bed, action, _WARM_UP)
    return _sequence(bed, action, changes)


def _sequence(bed: Bed, action: Change, changes: int) -> tuple[float, ...]:
    bed.generation += 1
    return bed.watcher.call(
        Sequence(action=action, changes=changes, among=_SPLITS, generation=bed.generation)
    ).seconds
