"""The rows that several terms have in common, from the search index alone."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any, Final

from reactor.audit.index.packs import PACK, common
from reactor.audit.index.schema import FIELDS, PACKS
from reactor.audit.query.ahead import Ahead
from reactor.audit.query.filters import Filters
from reactor.audit.query.pages import Found, Span

TERMS: Final = frozenset({*FIELDS, "finding"})
"""Filters that are terms of the index."""
_FEW: Final = 32
"""Packs that are read as they come; of longer stretches they are asked for before."""
_APART: Final = 4
"""Of so many packs in a row one is asked for ahead: they share a page."""
_SHAPED: Final = ("namespace", "split", "service", "text")
TIME: Final = 0.01
"""Seconds after which the positions that were found are given, though more may follow."""


def given(filters: Filters) -> list[tuple[str, str]]:
    """The terms among the filters, each with its field."""
    found = ((field, getattr(filters, field)) for field in (*FIELDS, "finding"))
    return [(field, term) for field, term in found if term is not None]


def possible(connection: sqlite3.Connection, filters: Filters) -> bool:
    """Whether any indexed row is of a sort that could pass: False rules all of them out."""
    where: list[str] = []
    given: list[str] = []
    for field in ("actor", "kind", "outcome"):
        if (value := getattr(filters, field)) is not None:
            where.append(f"{field} = ?")
            given.append(value)
    where += [field for field in _SHAPED if getattr(filters, field) is not None]
    if len(where) < 2:
        return True
    (found,) = connection.execute(
        f"SELECT EXISTS (SELECT 1 FROM side.shapes WHERE {' AND '.join(where)})", given
    ).fetchone()
    return bool(found)


def stretches(low: int, high: int, down: bool) -> Iterator[range]:
    """Of packs, longer and longer ones: as a rule the first has enough."""
    size = _FEW
    while low <= high:
        if down:
            yield range(max(low, high - size + 1), high + 1)
            high -= size
        else:
            yield range(low, min(high, low + size - 1) + 1)
            low += size
        size *= 4


class Terms:
    """Those of a page's filters, one or more, in an index whose rows don't change meanwhile."""

    def __init__(self, connection: sqlite3.Connection, filters: Filters) -> None:
        self._connection = connection
        self._ahead = Ahead(connection, "side")
        self._filters = filters
        self._columns = {
            field: value for field in FIELDS if (value := getattr(filters, field)) is not None
        }
        self._finding = filters.finding
        (self._packed,) = connection.execute("SELECT packed FROM side.progress").fetchone()
        self._ids = self._known()

    def positions(self, span: Span, *, down: bool, most: int) -> Found:
        """The first ones in a span that have all of the terms."""
        old, new = span.part(0, self._packed - 1), span.part(self._packed, span.high)
        found: list[int] = []
        for part in (new, old) if down else (old, new):
            if part:
                look = self._in_packs if part is old else self._in_recent
                some, last = look(part, down, most - len(found))
                found += some
                if last is not None:
                    return Found(found, last)
        return Found(found, None)

    def _known(self) -> list[int]:
        """The terms' ids, the rarest first; none when one of them is in no pack."""
        wanted = given(self._filters)
        found = [
            self._connection.execute(
                "SELECT rows, id FROM side.terms WHERE field = ? AND term = ?", term
            ).fetchone()
            for term in wanted
        ]
        return [] if None in found else [number for _, number in sorted(found)]

    def _in_packs(self, span: Span, down: bool, most: int) -> Found:
        found: list[int] = []
        if not self._ids:
            return Found(found, None)
        until = time.perf_counter() + TIME
        for stretch in stretches(span.low // PACK, span.high // PACK, down):
            if len(stretch) > _FEW:
                for term in self._ids:
                    keys = [term * PACKS + number for number in stretch[::_APART]]
                    self._ahead.rows("packs", keys)
            for number, rows in self._packs(stretch, down):
                base = number * PACK
                low, high = span.low - base, span.high - base
                inside = [base + offset for offset in common(rows) if low <= offset <= high]
                found += reversed(inside) if down else inside
                if len(found) >= most:
                    return Found(found[:most], found[most - 1])
                if time.perf_counter() >= until:
                    return Found(found, base if down else base + PACK - 1)
        return Found(found, None)

    def _packs(self, numbers: range, down: bool) -> Iterator[tuple[int, list[bytes]]]:
        """The rows of every term in each pack that has some of all of them, by its number."""
        first, *others = self._ids
        columns = ", ".join(f"p{number}.rows" for number in range(len(self._ids)))
        joined = "".join(
            f" CROSS JOIN side.packs AS p{number} ON p{number}.id = p0.id + {(id_ - first) * PACKS}"
            for number, id_ in enumerate(others, 1)
        )
        with closing(
            self._connection.execute(
                f"SELECT p0.id, {columns} FROM side.packs AS p0{joined}"
                f" WHERE p0.id BETWEEN ? AND ? ORDER BY p0.id {'DESC' if down else 'ASC'}",
                (first * PACKS + numbers[0], first * PACKS + numbers[-1]),
            )
        ) as found:
            for number, *rows in found:
                yield number % PACKS, rows

    def _in_recent(self, span: Span, down: bool, most: int) -> Found:
        source, place = "side.recent AS r", "r.position"
        values: list[Any] = [span.low, span.high]
        if self._finding is not None:
            source = (
                "side.recent_findings AS f CROSS JOIN side.recent AS r"
                " ON f.finding = ? AND r.position = f.position"
            )
            place, values = "f.position", [self._finding, *values]
        columns = "".join(f" AND r.{field} = ?" for field in self._columns)
        order = "DESC" if down else "ASC"
        sql = (
            f"SELECT {place} FROM {source} WHERE {place} BETWEEN ? AND ?{columns}"
            f" ORDER BY {place} {order} LIMIT ?"
        )
        found = self._connection.execute(sql, (*values, *self._columns.values(), most))
        return Found.full([position for (position,) in found], most)
