"""Many changes at once, by 32 writers, until every profile is right."""

from __future__ import annotations

from tests.bench import samples
from tests.bench.bed import Bed
from tests.bench.figure import Figure
from tests.bench.setting import Setting

_WRITERS = 32


def run(setting: Setting) -> list[Figure]:
    """One figure for each size."""
    return [_measure(setting, splits) for splits in setting.sizes]


def _measure(setting: Setting, splits: int) -> Figure:
    raw, values, used = [], [], []
    with Bed(setting.directory, environment=setting.environment, splits=splits) as bed:
        bed.sync()
        in_flight = bed.best_in_flight("patch splits and profiles", rounds=setting.calibrations)
        for _ in range(setting.runs):
            bed.generation += 1
            raw.append(bed.write("patch splits and profiles", in_flight=in_flight).elapsed)
            bed.adaptor.start()
            bed.adaptor.settle()
            before = bed.adaptor.processor_seconds()
            bed.generation += 1
            bed.expect()
            written = bed.write("patch splits", in_flight=_WRITERS)
            values.append(bed.expected() - written.began)
            used.append(bed.adaptor.processor_seconds() - before)
            bed.adaptor.stop()
    return Figure.of(
        f"{splits} changes at once",
        "s",
        values,
        raw=raw,
        limit=lambda raw: 1.4 * raw,
        rule="1.4 x raw",
        note=f"raw writes splits and profiles with {in_flight} requests in flight; "
        f"the adaptor used {samples.median(used):.2f} s of processor time",
    )
