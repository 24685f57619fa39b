"""How long the command line takes to answer, beside an interpreter that does nothing."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence

from tests.bench.figure import Figure
from tests.bench.setting import Setting

_TIMES = 10
_LIMIT = 150.0
"""Milliseconds: `linkerd check` waits for every extension's metadata before it begins."""


def run(setting: Setting) -> list[Figure]:
    """Commands that a user waits for; one that fails is not measured."""
    programs = setting.environment / "bin"
    nothing = [str(programs / "python"), "-c", "pass"]
    figures = []
    for words in ("version --client", "_extension-metadata"):
        command = [str(programs / "linkerd-smi"), *words.split()]
        if subprocess.run(command, capture_output=True, check=False).returncode != 0:
            continue
        raw, values = [], []
        for _ in range(_TIMES):
            raw.append(_milliseconds(nothing))
            values.append(_milliseconds(command))
        figures.append(
            Figure.of(
                f"linkerd-smi {words}", "ms", values, raw=raw, limit=_LIMIT, rule="below 150 ms"
            )
        )
    return figures


def _milliseconds(command: Sequence[str]) -> float:
    began = time.monotonic()
    subprocess.run(command, capture_output=True, check=True)
    return 1000 * (time.monotonic() - began)
