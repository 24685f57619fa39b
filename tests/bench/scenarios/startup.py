"""How long the command line takes to answer, beside an interpreter that does nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from release import single, sources, wheel
from release.launch import platform_here
from tests.bench.figure import Figure
from tests.bench.setting import Setting

_TIMES = 10
_LIMIT = 150.0
"""Milliseconds: `linkerd check` waits for every extension's metadata before it begins."""


def run(setting: Setting) -> list[Figure]:
    """Commands that a user waits for, installed and from the single file."""
    python = str(setting.environment / "bin" / "python")
    installed = [str(setting.environment / "bin" / "linkerd-smi")]
    figures = [
        _figure(f"linkerd-smi {words}", python, [*installed, *words.split()])
        for words in ("version --client", "_extension-metadata")
    ]
    with tempfile.TemporaryDirectory() as scratch:
        file = [python, str(_single_file(Path(scratch)))]
        cache = {"XDG_CACHE_HOME": scratch}
        words = "_extension-metadata"
        figures.append(
            _figure(f"linkerd-smi {words}, single file", python, [*file, words], environ=cache)
        )
    return figures


def _single_file(folder: Path) -> Path:
    """For the Python that measures it alone."""
    epoch = sources.epoch()
    return single.write(
        wheel.build(folder, epoch=epoch),
        folder,
        platform=next(known for known in single.PLATFORMS if known.name == platform_here()),
        pythons=(f"{sys.version_info[0]}.{sys.version_info[1]}",),
        epoch=epoch,
    )


def _figure(
    name: str, python: str, command: Sequence[str], *, environ: Mapping[str, str] | None = None
) -> Figure:
    variables = {**os.environ, **(environ or {})}
    # A first start writes what later ones read: compiled modules, the single file's folder.
    _milliseconds(command, variables)
    raw, values = [], []
    for _ in range(_TIMES):
        raw.append(_milliseconds([python, "-c", "pass"], variables))
        values.append(_milliseconds(command, variables))
    return Figure.of(name, "ms", values, raw=raw, limit=_LIMIT, rule="below 150 ms")


def _milliseconds(command: Sequence[str], environ: Mapping[str, str]) -> float:
    began = time.monotonic()
    subprocess.run(command, env=environ, capture_output=True, check=True)
    return 1000 * (time.monotonic() - began)
