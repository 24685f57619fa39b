"""Resident memory after a first sync and a burst of changes, by the same process."""

from __future__ import annotations

from tests.bench.bed import Bed
from tests.bench.figure import Figure
from tests.bench.setting import Setting

_LIMITS = {1_000: 128.0, 10_000: 160.0}


def run(setting: Setting) -> list[Figure]:
    """One figure for each size."""
    return [_measure(setting, splits) for splits in setting.memory_sizes]


def _measure(setting: Setting, splits: int) -> Figure:
    with Bed(setting.directory, environment=setting.environment, splits=splits) as bed:
        bed.expect()
        bed.adaptor.start(forget=True)
        bed.expected()
        synced = bed.adaptor.resident_mib()
        bed.generation += 1
        bed.expect()
        bed.write("patch splits")
        bed.expected()
        resident = bed.adaptor.resident_mib()
        highest = bed.adaptor.highest_resident_mib()
    return Figure.of(
        f"memory at {splits} splits",
        "MiB",
        [resident],
        limit=_LIMITS.get(splits),
        rule=f"{_LIMITS[splits]:.0f} MiB" if splits in _LIMITS else "",
        note=f"{synced:.0f} MiB after the first sync, never above {highest:.0f} MiB",
    )
