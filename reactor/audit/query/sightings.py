"""The changes of a split, each once, although several replicas saw it or a log was begun anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from reactor.audit.query.cursor import Cursor
from reactor.audit.query.filters import Filters, Order
from reactor.audit.query.pages import Paged
from reactor.audit.query.position import LOWEST
from reactor.audit.row import Row

_AROUND: Final = 20
"""Rows beside a page that may tell of the same as those in it: a replica lags."""
_MOST: Final = 2000
"""Rows that are read for one answer: each start on an empty log tells of all splits again."""


class Sighted(msgspec.Struct, frozen=True):
    """The rows that were first to tell of a change, newest first. ``before`` is the one that
    the last of them changed something of, ``next`` where earlier ones begin; None at the end.
    """

    rows: tuple[Row, ...]
    before: Row | None
    next: str | None


class _Seen(msgspec.Struct):
    type: str = ""
    uid: str = ""


_seen = msgspec.json.Decoder(_Seen).decode

_State = tuple[str, str | None]


def _state(row: Row) -> _State:
    """What it tells of; who finds an object gone may not know of which version that was."""
    detail = _seen(row.detail)
    return detail.uid, None if detail.type == "deleted" else row.resource_version


async def sightings(
    log: Paged, namespace: str, split: str, *, limit: int, cursor: str | None
) -> Sighted:
    """At most so many before the cursor. Raises as `Reader.entries` does."""
    asked = Filters(kind="observed", namespace=namespace, split=split)
    gathered = _Gathered(limit, await _around(log, asked, cursor, above=True))
    read = 0
    while True:
        # With what lies beside it: another question takes longer than some more rows.
        page = await log.entries(asked, limit=limit + 1 + _AROUND, cursor=cursor)
        for number, row in enumerate(page.entries):
            if not gathered.take(row):
                onward = str(Cursor(gathered.last, above=False))
                older = page.entries[number:]
                short = len(older) < _AROUND and page.next is not None
                if short or row.position < LOWEST:
                    older = await _around(log, asked, onward, above=False)
                gathered.refine(older)
                return gathered.sighted(row, onward)
        read += len(page.entries)
        cursor = page.next
        if cursor is None or read >= _MOST or (page.partial and not page.entries):
            return gathered.sighted(None, cursor)


async def _around(
    log: Paged, asked: Filters, cursor: str | None, *, above: bool
) -> tuple[Row, ...]:
    """What lies on one side of a cursor. One log by itself tells nothing twice."""
    begin = None if cursor is None else Cursor.parse(cursor)
    if begin is None or begin.above or begin.position < LOWEST:
        return ()
    place = Cursor(begin.position - 1, above=True) if above else begin
    order: Order = "oldest" if above else "newest"
    return (await log.entries(asked, limit=_AROUND, order=order, cursor=str(place))).entries


class _Gathered:
    """Rows by what they tell of; the newest comes first."""

    def __init__(self, limit: int, told: Sequence[Row]) -> None:
        self._limit = limit
        self._told = {_state(row): row.run for row in told}
        self._first: dict[_State, int] = {}
        self._rows: list[Row] = []
        self.last = 0
        """The position of the row that was taken last."""

    def take(self, row: Row) -> bool:
        """Whether there was room for it; False leaves it for another answer."""
        state = _state(row)
        # One run tells of each change once: the same again is that it came back.
        if not self._replaced(state, row) and self._told.get(state, row.run) == row.run:
            if len(self._rows) == self._limit:
                return False
            self._first[state] = len(self._rows)
            self._rows.append(row)
        self.last = row.position
        return True

    def refine(self, older: Sequence[Row]) -> None:
        """Take those of them that told of the same before."""
        for row in older:
            self._replaced(_state(row), row)

    def _replaced(self, state: _State, row: Row) -> bool:
        known = self._first.get(state)
        if known is None or self._rows[known].run == row.run:
            return False
        self._rows[known] = row
        return True

    def sighted(self, before: Row | None, onward: str | None) -> Sighted:
        """All of them."""
        rows = sorted(self._rows, key=lambda row: row.position, reverse=True)
        return Sighted(tuple(rows), before, onward)
