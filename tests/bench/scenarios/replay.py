"""Recorded decisions made again, beside the decisions alone."""

from __future__ import annotations

import re
import subprocess
import tempfile
import time
from pathlib import Path

from reactor.translate import decide
from tests.bench import decisions
from tests.bench.figure import Figure
from tests.bench.setting import Setting

_DECISIONS, _QUICKLY = 60_000, 10_000
_PER_SECOND = 20_000.0


def run(setting: Setting) -> list[Figure]:
    """By the command line; what it needs to start, a log of one decision tells, is taken off."""
    count = _DECISIONS if setting.runs > 1 else _QUICKLY
    setting.directory.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=setting.directory.parent) as scratch:
        log = decisions.write(Path(scratch) / "log.sqlite", count)
        one = decisions.write(Path(scratch) / "one.sqlite", 1)
        inputs = list(decisions.situations(count))
        raw, single, double = [], [], []
        for _ in range(setting.runs):
            began = time.monotonic()
            for situation in inputs:
                decide(situation)
            raw.append(count / (time.monotonic() - began))
            single.append(_rate(setting, log, one, count, jobs=1))
            double.append(_rate(setting, log, one, count, jobs=2))
    return [
        Figure.of(
            "replay on one core",
            "decisions/s",
            single,
            raw=raw,
            limit=_PER_SECOND,
            rule=f"at least {_PER_SECOND:.0f} decisions/s",
            at_least=True,
            note=f"{count} decisions; raw is the decision alone, its argument decoded before",
        ),
        Figure.of("replay with --jobs 2", "decisions/s", double, raw=single, note="raw is one job"),
    ]


def _rate(setting: Setting, log: Path, one: Path, count: int, *, jobs: int) -> float:
    took = _seconds(setting, log, count, jobs) - _seconds(setting, one, 1, jobs)
    return (count - 1) / took


def _seconds(setting: Setting, log: Path, count: int, jobs: int) -> float:
    command = [str(setting.environment / "bin" / "linkerd-smi"), "replay", "--fail-on-diff"]
    began = time.monotonic()
    done = subprocess.run(
        [*command, "--db", str(log), "--jobs", str(jobs)],
        capture_output=True,
        text=True,
        check=True,
    )
    took = time.monotonic() - began
    if not re.search(rf"\b{count} the same\b", done.stdout):
        raise RuntimeError(f"of {count} decisions: {done.stdout[-300:]}")
    return took
