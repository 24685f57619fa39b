"""How late the daemon's event loop is under load, once the first sync is over."""

from __future__ import annotations

import subprocess
from array import array
from pathlib import Path

from tests.bench import samples
from tests.bench.bed import Bed
from tests.bench.command import Load
from tests.bench.figure import Figure
from tests.bench.setting import Setting

_SPLITS = 1000
_WRITERS = 32
_TICKER = Path(__file__).resolve().parents[1] / "programs" / "ticker.py"


def run(setting: Setting) -> list[Figure]:
    """A ticker in the daemon's own loop, and one in a process that does nothing else.

    The second shows what the machine alone costs: processes wait for a core as well.
    """
    alone_file, inside_file = setting.directory / "alone.f64", setting.directory / "inside.f64"
    with Bed(setting.directory, environment=setting.environment, splits=_SPLITS) as bed:
        bed.expect()
        bed.adaptor.start(forget=True, runner=[str(_TICKER), str(inside_file)])
        bed.expected()
        bed.adaptor.settle()
        bed.generation += 1
        alone = subprocess.Popen(
            [setting.environment / "bin" / "python", _TICKER, alone_file, "--alone"]
        )
        try:
            loaded = bed.writer.call(
                Load(
                    duration=setting.seconds,
                    rate=0.0,
                    among=_SPLITS,
                    generation=bed.generation,
                    in_flight=_WRITERS,
                )
            )
        finally:
            alone.terminate()
            alone.wait()
        bed.adaptor.stop()
        inside_late = _late(inside_file, loaded.began, loaded.ended)
        alone_late = _late(alone_file, loaded.began, loaded.ended)
    shown = ", ".join(
        f"p{percent} {samples.percentile(inside_late, percent):.1f}" for percent in (50, 99)
    )
    return [
        Figure.of(
            f"event loop stall in {setting.seconds:.0f} s under load, p99.9",
            "ms",
            [samples.percentile(inside_late, 99.9)],
            raw=[samples.percentile(alone_late, 99.9)],
            limit=10.0,
            rule="10 ms",
            note=(
                f"{loaded.seconds[0] / loaded.elapsed:.0f} changes/s by {_WRITERS} writers; "
                f"{shown}, longest {max(inside_late):.1f} ms; a tick is due each 1 ms, and raw is "
                "the same ticker alone in a process, at the same time"
            ),
        )
    ]


def _late(path: Path, began: float, ended: float) -> list[float]:
    """Milliseconds of lateness of the ticks between two moments."""
    ticks = array("d", path.read_bytes())
    pairs = zip(ticks[::2], ticks[1::2], strict=True)
    return [1000 * late for moment, late in pairs if began <= moment <= ended]
