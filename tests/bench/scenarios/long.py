"""Whether memory stays flat over 100,000 changes."""

from __future__ import annotations

from tests.bench import samples
from tests.bench.bed import Bed
from tests.bench.figure import Figure
from tests.bench.setting import Setting

_SPLITS = 1000
_ROUNDS = 100
_FLAT = 0.03


def run(setting: Setting) -> list[Figure]:
    """Samples after each 5,000 changes; the first 10,000 only warm up. Only when asked for."""
    if not setting.long:
        return []
    resident = []
    with Bed(setting.directory, environment=setting.environment, splits=_SPLITS) as bed:
        bed.expect()
        bed.adaptor.start(forget=True)
        bed.expected()
        for number in range(1, _ROUNDS + 1):
            bed.generation += 1
            bed.expect()
            bed.write("patch splits")
            bed.expected()
            if number >= 10 and number % 5 == 0:
                resident.append(bed.adaptor.resident_mib())
    course = ", ".join(f"{value:.0f}" for value in resident)
    return [
        Figure.of(
            "memory's growth over 100000 changes",
            "%",
            [100 * samples.growth(resident)],
            limit=100 * _FLAT,
            rule=f"flat: {100 * _FLAT:.0f} % from the first half's median to the second's",
            note=f"MiB each 5,000 changes from 10,000 on: {course}",
        ),
        Figure.of("memory after 100000 changes", "MiB", resident[-1:], limit=128.0, rule="128 MiB"),
    ]
