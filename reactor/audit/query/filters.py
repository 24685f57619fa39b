"""What is asked for."""

from __future__ import annotations

from typing import Literal

import msgspec

from reactor.audit.index.words import Wanted, said
from reactor.audit.row import Row

Order = Literal["newest", "oldest"]
"""Which row comes first."""


class Filters(msgspec.Struct, frozen=True):
    """What a row has to be. ``since`` (inclusive) and ``until`` (exclusive): microseconds UTC.

    ``finding`` is a reason such as ShadowedBy; ``text`` words and "phrases in quotes" that all
    occur in the row's messages.
    """

    kind: str | None = None
    namespace: str | None = None
    split: str | None = None
    service: str | None = None
    outcome: str | None = None
    finding: str | None = None
    actor: str | None = None
    reconcile: str | None = None
    run: str | None = None
    text: str | None = None
    since: int | None = None
    until: int | None = None

    def columns(self) -> dict[str, str]:
        """Values by the column that has to equal them."""
        names = ("kind", "namespace", "split", "service", "outcome", "actor", "reconcile", "run")
        return {name: value for name in names if (value := getattr(self, name)) is not None}

    def given(self) -> frozenset[str]:
        """The names of those that rule rows out."""
        names = self.__struct_fields__
        return frozenset(name for name in names if getattr(self, name) is not None)

    def wanted(self) -> Wanted | None:
        """The words; ValueError when ``text`` has none."""
        return None if self.text is None else Wanted.parse(self.text)


class Sieve:
    """The part of the filters that only a row's detail can answer."""

    def __init__(self, filters: Filters) -> None:
        self._filters = filters
        self._columns = tuple(filters.columns().items())
        self._finding = filters.finding
        self._wanted = filters.wanted()

    @property
    def open(self) -> bool:
        """Whether every row passes."""
        return self._finding is None and self._wanted is None

    def passes(self, row: Row) -> bool:
        """Whether this one does."""
        if self.open:
            return True
        found = said(row.detail)
        if self._finding is not None and self._finding not in found.findings:
            return False
        return self._wanted is None or self._wanted.within(found.text)

    def fits(self, row: Row) -> bool:
        """Whether a row passes all of the filters, its columns included."""
        since, until = self._filters.since, self._filters.until
        return (
            all(getattr(row, name) == value for name, value in self._columns)
            and (since is None or row.at >= since)
            and (until is None or row.at < until)
            and self.passes(row)
        )
