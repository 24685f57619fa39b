"""The table for people and the JSON for comparisons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from tests.bench import samples
from tests.bench.figure import Figure

_HEADINGS = ("figure", "median", "spread", "raw", "limit", "", "rule")
_MARKS = {"reached": "ok", "missed": "MISSED", "told": ""}


def table(figures: Sequence[Figure]) -> str:
    """A plain table, one line a figure, and notes below it."""
    rows = [_HEADINGS, *(_row(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    notes = [f"{figure.name}: {figure.note}" for figure in figures if figure.note]
    return "\n".join([*lines, *([""] if notes else []), *notes])


def write(
    path: Path,
    *,
    environment: Mapping[str, object],
    figures: Sequence[Figure],
    failures: Mapping[str, str],
) -> None:
    """All of a run: every single value, not only medians."""
    document = {
        "environment": environment,
        "figures": [{**msgspec.structs.asdict(f), "verdict": f.verdict} for f in figures],
        "failures": failures,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n")


def _row(figure: Figure) -> tuple[str, ...]:
    return (
        figure.name,
        f"{_number(figure.value)} {figure.unit}",
        _spread(figure.values),
        "" if figure.raw_value is None else f"{_number(figure.raw_value)} [{_spread(figure.raw)}]",
        "" if figure.limit is None else _number(figure.limit),
        _MARKS[figure.verdict],
        figure.rule,
    )


def _spread(values: Sequence[float]) -> str:
    if len(values) < 2:
        return "one run"
    low, high = samples.spread(values)
    return f"{_number(low)}-{_number(high)}"


def _number(value: float) -> str:
    if value == 0 or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"


def closing(figures: Sequence[Figure], failures: Mapping[str, str]) -> str:
    """The last line: how many limits were reached, which not, and what could not be measured."""
    judged = [figure for figure in figures if figure.verdict != "told"]
    missed = [figure.name for figure in judged if figure.verdict == "missed"]
    parts = [f"{len(judged) - len(missed)} of {len(judged)} limits reached"]
    if missed:
        parts.append(f"missed: {'; '.join(missed)}")
    if failures:
        parts.append(f"not measured: {', '.join(failures)}")
    return ". ".join(parts) + "."
