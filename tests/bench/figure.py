"""One line of the table: what was measured, beside the limit and what the limit comes from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, Self

import msgspec

from tests.bench import samples

Verdict = Literal["reached", "missed", "told"]


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """``values`` are the single runs, ``value`` their median; ``raw`` likewise, if there is one.

    ``limit`` is None for a figure that only tells something. A figure reaches its limit by
    not exceeding it, or with ``at_least`` by not falling below.
    """

    name: str
    unit: str
    values: tuple[float, ...]
    value: float
    raw: tuple[float, ...] = ()
    raw_value: float | None = None
    limit: float | None = None
    rule: str = ""
    at_least: bool = False
    note: str = ""

    @classmethod
    def of(
        cls,
        name: str,
        unit: str,
        values: Sequence[float],
        *,
        raw: Sequence[float] = (),
        limit: Callable[[float], float] | float | None = None,
        rule: str = "",
        at_least: bool = False,
        note: str = "",
    ) -> Self:
        """``limit`` is a number, or a function of raw's median."""
        raw_value = samples.median(raw) if raw else None
        if callable(limit):
            if raw_value is None:
                raise ValueError(f"{name}: a limit that depends on raw needs runs of raw")
            limit = limit(raw_value)
        return cls(
            name=name,
            unit=unit,
            values=tuple(values),
            value=samples.median(values),
            raw=tuple(raw),
            raw_value=raw_value,
            limit=limit,
            rule=rule,
            at_least=at_least,
            note=note,
        )

    @property
    def verdict(self) -> Verdict:
        """Whether the median keeps the limit."""
        if self.limit is None:
            return "told"
        kept = self.value >= self.limit if self.at_least else self.value <= self.limit
        return "reached" if kept else "missed"
