"""Months of UTC, by which the archive is partitioned. Times are microseconds since 1970."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple


class Month(NamedTuple):
    """A month; sorts by time."""

    year: int
    month: int

    @classmethod
    def of(cls, at: int) -> Month:
        """The one that a moment lies in."""
        found = datetime.fromtimestamp(at // 1_000_000, UTC)
        return cls(found.year, found.month)

    @classmethod
    def parse(cls, text: str) -> Month:
        """As `str` gave it."""
        return cls(int(text[:-2]), int(text[-2:]))

    @property
    def next(self) -> Month:
        """The one behind it."""
        return Month(self.year + self.month // 12, self.month % 12 + 1)

    @property
    def begin(self) -> int:
        """Its first moment."""
        return int(datetime(self.year, self.month, 1, tzinfo=UTC).timestamp()) * 1_000_000

    def __str__(self) -> str:
        return f"{self.year:04}{self.month:02}"


def months(moments: Iterable[int]) -> Iterator[Month]:
    """The month of each moment; quick when neighbours lie in the same."""
    found, begin, end = Month(1970, 1), 0, 0
    for moment in moments:
        if not begin <= moment < end:
            found = Month.of(moment)
            begin, end = found.begin, found.next.begin
        yield found
