"""Weights over time as a step chart: its lines in percent of its width, for any screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

_TOP: Final = 14
_HEIGHT: Final = 160
HEIGHT: Final = _TOP + _HEIGHT + 24
"""Pixels, with a line of text above and one below."""
_AFTER: Final = 12.0
"""Percent of the width in which the last weights go on."""

Shares = Mapping[str, float] | None
"""Percent by backend; None while there are no weights that can be read."""


class Line(msgspec.Struct, frozen=True):
    """A stroke: x in percent of the width, y in pixels from the top."""

    x1: float
    y1: float
    x2: float
    y2: float


class Series(msgspec.Struct, frozen=True):
    """One backend: what tells its line from others, its last share, its strokes, and the points
    at which its weight was set.
    """

    name: str
    number: int
    last: float | None
    lines: list[Line]
    points: list[tuple[float, float]]


class Chart(msgspec.Struct, frozen=True):
    """Everything to draw. ``grid`` is y by percent; ``ticks`` is x by moment."""

    series: list[Series]
    grid: list[tuple[int, float]]
    ticks: list[tuple[float, int]]
    height: int = HEIGHT


def chart(changes: Sequence[tuple[int, Shares]]) -> Chart | None:
    """Of moments (microseconds, oldest first) and the shares from then on; None without any."""
    names = list(dict.fromkeys(name for _, shares in changes for name in shares or ()))
    if not names:
        return None
    first, last = changes[0][0], changes[-1][0]
    scale = (100 - _AFTER) / (last - first) if last > first else 0.0
    moments = [(at - first) * scale for at, _ in changes]
    ends = [*moments[1:], 100.0]
    series = [
        _series(name, number, [(shares or {}).get(name) for _, shares in changes], moments, ends)
        for number, name in enumerate(names)
    ]
    ticks = [(0.0, first)] + ([(moments[-1], last)] if last > first else [])
    return Chart(series, [(percent, _y(percent)) for percent in (100, 50, 0)], ticks)


def _series(
    name: str,
    number: int,
    shares: Sequence[float | None],
    moments: Sequence[float],
    ends: Sequence[float],
) -> Series:
    lines: list[Line] = []
    points: list[tuple[float, float]] = []
    before: float | None = None
    for share, start, end in zip(shares, moments, ends, strict=True):
        if share is not None:
            if before is not None and before != share:
                lines.append(Line(start, _y(before), start, _y(share)))
            lines.append(Line(start, _y(share), end, _y(share)))
            points.append((start, _y(share)))
        before = share
    return Series(name, number, shares[-1], lines, points)


def _y(percent: float) -> float:
    return _TOP + _HEIGHT * (1 - percent / 100)
