"""The audit log by itself: rows a second that 256 callers wait for."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from tests.bench.figure import Figure
from tests.bench.setting import Setting

_PROGRAM = Path(__file__).resolve().parents[1] / "programs" / "journal_load.py"
_ROWS = 40_000
_ROWS_PER_SECOND = 8000.0


def run(setting: Setting) -> list[Figure]:
    """Beside the same bytes in plain SQLite, without chain, trigger, key or index."""
    raw, values = [], []
    for _ in range(setting.runs):
        raw.append(_rate(setting, "--plain"))
        values.append(_rate(setting))
    return [
        Figure.of(
            "journal, 256 callers",
            "rows/s",
            values,
            raw=raw,
            limit=_ROWS_PER_SECOND,
            rule=f"at least {_ROWS_PER_SECOND:.0f} rows/s",
            at_least=True,
            note=f"{_ROWS} rows, each waited for; raw is sqlite3.executemany, 256 rows a commit",
        )
    ]


def _rate(setting: Setting, *options: str) -> float:
    setting.directory.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=setting.directory.parent) as directory:
        python = setting.environment / "bin" / "python"
        command = [str(python), str(_PROGRAM), directory, str(_ROWS)]
        done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{_PROGRAM.name} {' '.join(options)}:\n{done.stderr[-3000:]}")
    return float(done.stdout)
