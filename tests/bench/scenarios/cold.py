"""From the start of the process until the last profile is there."""

from __future__ import annotations

from tests.bench import samples
from tests.bench.bed import Bed
from tests.bench.figure import Figure
from tests.bench.setting import Setting


def run(setting: Setting) -> list[Figure]:
    """One figure for each size."""
    return [_measure(setting, splits) for splits in setting.sizes]


def _measure(setting: Setting, splits: int) -> Figure:
    raw, values, used = [], [], []
    with Bed(setting.directory, environment=setting.environment, splits=splits) as bed:
        in_flight = bed.best_in_flight(
            "create profiles", rounds=setting.calibrations, undo="delete profiles"
        )
        for _ in range(setting.runs):
            raw.append(bed.write("create profiles", in_flight=in_flight).elapsed)
            bed.empty()
            bed.expect()
            began = bed.adaptor.start(forget=True)
            values.append(bed.expected() - began)
            used.append(bed.adaptor.processor_seconds())
            bed.adaptor.stop()
            bed.empty()
    return Figure.of(
        f"cold sync of {splits} splits",
        "s",
        values,
        raw=raw,
        limit=lambda raw: 1.3 * raw + 1.5,
        rule="1.3 x raw + 1.5 s",
        note=f"raw creates the profiles with {in_flight} requests in flight; "
        f"the adaptor used {samples.median(used):.2f} s of processor time",
    )
