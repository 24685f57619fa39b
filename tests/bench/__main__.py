"""`python -m tests.bench`: a table on standard output, all single values in bench-results/."""

from __future__ import annotations

import argparse
import datetime
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from tests.bench import environment, report, wheel
from tests.bench.figure import Figure
from tests.bench.scenarios import SCENARIOS
from tests.bench.setting import Setting
from tests.cluster.crds import REPOSITORY

RESULTS = REPOSITORY / "bench-results"


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 when everything was measured, whatever the verdicts; 1 when something broke."""
    options = _options(arguments)
    RESULTS.mkdir(exist_ok=True)
    measured = environment.describe(RESULTS)
    figures: list[Figure] = []
    failures: dict[str, str] = {}
    with tempfile.TemporaryDirectory(dir=RESULTS, prefix="work-") as scratch:
        chosen = setting(
            directory=Path(scratch) / "bed",
            environment=REPOSITORY / ".venv" if options.dev else wheel.install(),
            quick=options.quick,
            long=options.long or options.only == ["long"],
            runs=options.runs,
            sizes=options.sizes,
        )
        for name in options.only:
            began = time.monotonic()
            _say(f"{name} ...")
            try:
                found = SCENARIOS[name](chosen)
            except Exception as error:
                failures[name] = f"{type(error).__name__}: {error}"
                traceback.print_exc()
            else:
                figures += found
                _say(report.table(found))
            _say(f"{name}: {time.monotonic() - began:.0f} s\n")
    path = RESULTS / f"{datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H%M%SZ}.json"
    measured["setting"] = {key: str(value) for key, value in vars(options).items()}
    report.write(path, environment=measured, figures=figures, failures=failures)
    for key, value in measured.items():
        print(f"{key}: {value}")
    print()
    print(report.table(figures))
    print()
    print(report.closing(figures, failures))
    print(path.relative_to(REPOSITORY))
    return 1 if failures else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one run each, 1,000 splits only")
    parser.add_argument("--long", action="store_true", help="100,000 changes as well")
    parser.add_argument("--dev", action="store_true", help="measure .venv, not an installed wheel")
    parser.add_argument("--runs", type=int, help="runs of each figure (5)")
    parser.add_argument("--sizes", type=_numbers, help="numbers of splits (1000,5000)")
    parser.add_argument(
        "--only", type=_names, default=list(SCENARIOS), help=f"some of {','.join(SCENARIOS)}"
    )
    return parser.parse_args(arguments)


def setting(
    *,
    directory: Path,
    environment: Path,
    quick: bool = False,
    long: bool = False,
    runs: int | None = None,
    sizes: tuple[int, ...] | None = None,
) -> Setting:
    """What the flags come to."""
    return Setting(
        environment=environment,
        directory=directory,
        runs=runs or (1 if quick else 5),
        sizes=sizes or ((1000,) if quick else (1000, 5000)),
        memory_sizes=(1000,) if quick else (1000, 10_000),
        calibrations=1 if quick else 3,
        changes=200 if quick else 300,
        seconds=15.0 if quick else 60.0,
        long=long,
        logs=RESULTS / "logs",
        rows=100_000 if quick else 10_000_000,
        questions=1 if quick else 6,
    )


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split(","))


def _names(text: str) -> list[str]:
    names = text.split(",")
    for name in names:
        if name not in SCENARIOS:
            raise argparse.ArgumentTypeError(f"{name!r}: choose from {', '.join(SCENARIOS)}")
    return names


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
