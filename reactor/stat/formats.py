"""Rows as text: the guide's table, a wider one, and JSON with the keys of `linkerd viz stat`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import msgspec

from reactor.stat.query import QUANTILES
from reactor.stat.rows import Row

_NONE = "-"
_GAP = "   "

Cell = Callable[[Row], str]


def _milliseconds(quantile: float, row: Row) -> str:
    value = _rounded(quantile, row)
    return _NONE if value is None else f"{value}ms"


def _rounded(quantile: float, row: Row) -> int | None:
    value = None if row.figures is None else row.figures.latency.get(quantile)
    # Half a millisecond is 1, as Go rounds it: the lowest bucket of the proxies ends at 1 ms.
    return None if value is None else math.floor(value + 0.5)


_NAMESPACE: dict[str, Cell] = {"NAMESPACE": lambda row: row.namespace}
_SPLIT: dict[str, Cell] = {
    "NAME": lambda row: row.name,
    "APEX": lambda row: row.apex or _NONE,
    "LEAF": lambda row: row.leaf or _NONE,
}
_WEIGHT: dict[str, Cell] = {"WEIGHT": lambda row: row.weight or _NONE}
_APPLIED: dict[str, Cell] = {
    "APPLIED": lambda row: row.applied or _NONE,
    "STATE": lambda row: row.state,
}
_TRAFFIC: dict[str, Cell] = {
    "SUCCESS": lambda row: _NONE if row.figures is None else f"{row.figures.success * 100:.2f}%",
    "RPS": lambda row: _NONE if row.figures is None else f"{row.figures.rps:.1f}rps",
    **{f"LATENCY_P{round(part * 100)}": partial(_milliseconds, part) for part in QUANTILES},
}


def table(rows: Sequence[Row], *, wide: bool, namespaces: bool) -> str:
    """The guide's columns; ``wide`` adds what is applied, ``namespaces`` where each split is."""
    left = {**(_NAMESPACE if namespaces else {}), **_SPLIT}
    columns = {**left, **_WEIGHT, **(_APPLIED if wide else {}), **_TRAFFIC}
    cells = [list(columns), *([cell(row) for cell in columns.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        _GAP.join(
            text.ljust(width) if number < len(left) else text.rjust(width)
            for number, (text, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in cells
    )


def json(rows: Sequence[Row]) -> str:
    """A list with an object a row; what isn't known is null."""
    return msgspec.json.format(
        msgspec.json.encode([_entry(row) for row in rows]), indent=2
    ).decode()


def _entry(row: Row) -> dict[str, Any]:
    figures = row.figures
    return {
        "namespace": row.namespace,
        "kind": "trafficsplit",
        "name": row.name,
        "apex": row.apex,
        "leaf": row.leaf,
        "weight": row.weight,
        "applied": row.applied,
        "state": row.state,
        "reason": row.reason or None,
        "success": None if figures is None else figures.success,
        "rps": None if figures is None else figures.rps,
        **{f"latency_ms_p{round(part * 100)}": _rounded(part, row) for part in QUANTILES},
    }
