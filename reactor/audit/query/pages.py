"""One page: the best index leads, the other filters follow, until it is full or time is up."""

from __future__ import annotations

import math
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final, Literal, NamedTuple, Protocol

import msgspec

from reactor.audit.query.cursor import Cursor
from reactor.audit.query.filters import Filters, Order, Sieve
from reactor.audit.row import Row

LONGEST_PAGE: Final = 1000
TIME: Final = 0.035
"""Seconds after which a page ends with what it has: the rest of 50 ms is for reading its rows."""
SIZE: Final = 2 << 20
"""Bytes of details after which a page ends: memory stays bounded."""
_FIRST: Final = 128
_MOST: Final = 4096
"""Positions in a row that are looked at: few first, in case that is enough, then more."""
_PROBE: Final = 500
"""Rows up to which one lead is told from another."""

Lead = Literal[
    "reconcile", "text", "finding", "split", "service", "actor", "outcome", "namespace", "kind", ""
]
"""Whose index gives the positions; "" is the log itself."""

_LEADS: Final[tuple[Lead, ...]] = (
    *("reconcile", "text", "finding", "split", "service", "actor"),
    *("outcome", "namespace", "kind"),
)
_DERIVED: Final[frozenset[Lead]] = frozenset(
    {"text", "finding", "actor", "outcome", "namespace", "kind"}
)
"""Those that only the search index has, which may be behind the log."""


class Page(msgspec.Struct, frozen=True):
    """Rows in the order asked for. ``next`` and ``previous`` are cursors to the pages around;
    ``next`` is None at the end, ``previous`` in an empty page.

    A page of large rows may hold fewer than asked for. ``partial``: time was up, so it may hold
    fewer, even none, though more may follow.
    """

    entries: tuple[Row, ...]
    next: str | None
    previous: str | None
    partial: bool = False


class Span(msgspec.Struct, frozen=True):
    """Positions from ``low`` to ``high``, both included."""

    low: int
    high: int

    def part(self, low: int, high: int) -> Span:
        """What both have in common."""
        return Span(max(self.low, low), min(self.high, high))

    def __bool__(self) -> bool:
        return self.low <= self.high


class Found(NamedTuple):
    """Positions in the order asked for. ``last`` is the one up to which was looked, not always
    one of them; None when there are no more.
    """

    positions: Sequence[int]
    last: int | None

    @classmethod
    def full(cls, positions: Sequence[int], most: int) -> Found:
        """Of a store that gives ``most`` of them unless it has no more."""
        return cls(positions, positions[-1] if len(positions) == most else None)


class Paged(Protocol):
    """A log that is read by pages; as `Reader.entries`."""

    async def entries(
        self,
        filters: Filters,
        *,
        limit: int = 100,
        order: Order = "newest",
        cursor: str | None = None,
    ) -> Page: ...


class Store(Protocol):
    """A log whose rows have a position: a number by which they are sorted, of any size."""

    async def span(self, filters: Filters) -> Span:
        """Where the rows of a run, and between two moments, lie at most."""
        ...

    async def indexed(self) -> int:
        """The newest position that the search index knows."""
        ...

    async def count(self, lead: Lead, filters: Filters, span: Span, most: int) -> int:
        """How many positions the lead has there, counted up to ``most``."""
        ...

    async def positions(
        self, lead: Lead, filters: Filters, span: Span, *, down: bool, most: int
    ) -> Found:
        """The first of the lead's positions there, from the top or from the bottom; without those
        that the store can rule out by itself, and ``most`` of them at most.
        """
        ...

    async def rows(
        self, positions: Sequence[int], filters: Filters, *, down: bool, most: int | None
    ) -> Sequence[Row]:
        """The first rows at these positions that the columns don't rule out."""
        ...


async def page(
    store: Store,
    filters: Filters,
    *,
    limit: int,
    order: Order,
    cursor: Cursor | None,
    clock: Callable[[], float] = time.perf_counter,
) -> Page:
    """Read one page. Raises ValueError for a bad limit or text."""
    if not 1 <= limit <= LONGEST_PAGE:
        raise ValueError(f"limit must be 1 to {LONGEST_PAGE}, not {limit}")
    search = _Search(store, filters, limit=limit, until=clock() + TIME, clock=clock)
    down = order == "newest" if cursor is None else not cursor.above
    whole = await store.span(filters)
    span = whole if cursor is None else whole.part(*_side(cursor))
    if span:
        for lead, part in await search.parts(span, down=down):
            if part and not await search.follow(lead, part, down=down):
                break
    return search.page(down=down, order=order)


def _side(cursor: Cursor) -> tuple[int, int]:
    last = 1 << 256
    return (cursor.position + 1, last) if cursor.above else (0, cursor.position - 1)


async def everything(
    store: Store, filters: Filters, *, most: int
) -> AsyncIterator[tuple[list[int], int]]:
    """The positions of all rows there are now that may pass, the oldest first, each time with
    the position from which it goes on. The columns may still rule rows out; details don't.
    """
    search = _Search(store, filters, limit=most, until=math.inf, clock=time.perf_counter)
    span = await store.span(filters)
    if not span:
        return
    for lead, part in await search.parts(span, down=False):
        rest = part
        while rest:
            positions, last = await store.positions(lead, filters, rest, down=False, most=most)
            rest = rest.part(rest.high + 1 if last is None else last + 1, rest.high)
            if positions:
                yield await search.sifted(positions), rest.low


class _Search:
    """What was found so far, and how far it was looked."""

    def __init__(
        self,
        store: Store,
        filters: Filters,
        *,
        limit: int,
        until: float,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._filters = filters
        self._sieve = Sieve(filters)
        self._limit = limit
        self._until = until
        self._clock = clock
        self._found: list[Row] = []
        self._size = 0
        self._looked: int | None = None
        self._more = False
        self._late = False

    async def parts(self, span: Span, *, down: bool) -> list[tuple[Lead, Span]]:
        """Spans in the order in which they are looked through, each with its lead."""
        lead = await self._lead(span)
        if lead not in _DERIVED:
            return [(lead, span)]
        indexed = await self._store.indexed()
        known, fresh = span.part(0, indexed), span.part(indexed + 1, span.high)
        parts: list[tuple[Lead, Span]] = [(lead, known), ("", fresh)]
        return parts[::-1] if down else parts

    async def _lead(self, span: Span) -> Lead:
        """The one with the fewest rows; of those with many, the one that is best as a rule."""
        indexed = await self._store.indexed()
        leads = [
            lead
            for lead in _LEADS
            if getattr(self._filters, lead) is not None and (indexed or lead not in _DERIVED)
        ]
        if "namespace" in leads and ("split" in leads or "service" in leads):
            # Of which the indexes have the namespace too; and a kind without any has neither.
            leads = [lead for lead in leads if lead not in ("namespace", "kind")]
        if len(leads) < 2:
            return leads[0] if leads else ""
        best: Lead = ""
        fewest = _PROBE
        for lead in leads:
            count = await self._store.count(lead, self._filters, span, _PROBE)
            if count < fewest or best == "":
                best, fewest = lead, count
            if fewest <= _FIRST:
                break
        return best

    async def follow(self, lead: Lead, span: Span, *, down: bool) -> bool:
        """Look through a span; whether to go on behind it."""
        size = _FIRST if self._narrow(lead) else self._limit + 1
        while span:
            positions, last = await self._store.positions(
                lead, self._filters, span, down=down, most=size
            )
            if not await self._take(positions, down=down):
                return False
            if last is None:
                break
            self._looked = last
            span = span.part(0, last - 1) if down else span.part(last + 1, span.high)
            if self._clock() >= self._until:
                self._late = True
                return False
            size = min(2 * size, _MOST)
        self._looked = None
        return True

    async def sifted(self, positions: Sequence[int]) -> list[int]:
        """Those that the details don't rule out."""
        if self._sieve.open:
            return list(positions)
        passed: list[int] = []
        for at in range(0, len(positions), _FIRST):
            piece = positions[at : at + _FIRST]
            rows = await self._store.rows(piece, self._filters, down=False, most=None)
            passed += [row.position for row in rows if self._sieve.passes(row)]
        return passed

    def _narrow(self, lead: Lead) -> bool:
        """Whether other filters than the lead's may rule rows out."""
        columns = self._filters.columns().keys() - {lead, "run"}
        timed = self._filters.since is not None or self._filters.until is not None
        return bool(columns) or timed or not self._sieve.open

    async def _take(self, positions: Sequence[int], *, down: bool) -> bool:
        """Read what passes; False once the page is full, or time is up."""
        for at in range(0, len(positions), _FIRST):
            piece = positions[at : at + _FIRST]
            wanted = self._limit + 1 - len(self._found)
            rows = await self._store.rows(
                piece, self._filters, down=down, most=wanted if self._sieve.open else None
            )
            for row in filter(self._sieve.passes, rows):
                if len(self._found) == self._limit or self._size >= SIZE:
                    self._more = True
                    return False
                self._found.append(row)
                self._size += len(row.detail)
            if piece[-1] != positions[-1] and self._clock() >= self._until:
                self._looked, self._late = piece[-1], True
                return False
        return True

    def page(self, *, down: bool, order: Order) -> Page:
        """What was found, in the order asked for, with the cursors around it."""
        rows = self._found
        ahead: Cursor | None = None
        if self._more:
            ahead = Cursor(rows[-1].position, above=not down)
        elif self._late and self._looked is not None:
            ahead = Cursor(self._looked, above=not down)
        # Behind the first row there may be more, now or once they have come.
        behind: Cursor | None = Cursor(rows[0].position, above=down) if rows else None
        if down != (order == "newest"):
            # Read against the order: what lies ahead of the search is the page before.
            rows.reverse()
            ahead, behind = behind, ahead
        return Page(
            tuple(rows),
            None if ahead is None else str(ahead),
            None if behind is None else str(behind),
            self._late,
        )
