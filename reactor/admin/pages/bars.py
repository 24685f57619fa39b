"""Weights as bars: each backend's share of the whole."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from reactor.model import quantity


class Bar(msgspec.Struct, frozen=True):
    """A backend. ``share`` in percent; both None where it has no weight that can be read."""

    name: str
    text: str | None
    share: float | None

    @property
    def percent(self) -> str:
        """The share as text."""
        return (
            ""
            if self.share is None
            else f"{self.share:.1f}".removesuffix(".0") + "\N{NO-BREAK SPACE}%"
        )


def bars(weights: Iterable[tuple[str, str | None]]) -> list[Bar]:
    """By backend and the text of its weight, None where it has none."""
    given = list(weights)
    parsed = [None if text is None else _nanos(text) for _, text in given]
    whole = sum(nanos for nanos in parsed if nanos is not None)
    return [
        Bar(name, text, _share(nanos, whole))
        for (name, text), nanos in zip(given, parsed, strict=True)
    ]


def _share(nanos: int | None, whole: int) -> float | None:
    if nanos is None:
        return None
    return 100 * nanos / whole if whole > 0 else 0.0


def _nanos(text: str) -> int | None:
    try:
        return max(0, quantity.parse(text).nanos)
    except ValueError:
        return None
