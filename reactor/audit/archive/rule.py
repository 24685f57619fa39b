"""What an index can rule out before a row is read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple, Self

from reactor.audit.archive.source import LONGEST_TERM
from reactor.audit.query.filters import Filters
from reactor.audit.query.pages import Found

TERMS: Final = ("namespace", "kind", "outcome")
"""Columns of a term's index behind its key."""
_LOOK: Final = 16
_LOOK_MOST: Final = 16_384
_PROBE: Final = 8
_PROBE_MOST: Final = 4_096
"""Entries of an index that are looked at for each position that is wanted, and at once: a step has
to end before a page's time is up. Where each asks for another term, they are fewer.
"""
# No EXISTS: for that the server may read all rows of the term, and hash them.
_TOLD: Final = (
    "coalesce((SELECT true FROM terms AS o WHERE o.cluster = $1 AND o.field = {} AND o.term = {}"
    " AND o.at = e.at AND o.run = e.run AND o.seq = e.seq), false)"
)


class Rule(NamedTuple):
    """Conditions on a row ``e`` with their values: columns of the index, and further terms."""

    columns: tuple[tuple[str, str], ...] = ()
    terms: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, filters: Filters, within: Sequence[str], *, asked: tuple[str, str] | None) -> Self:
        """All that can be answered by an index with these columns ``within``, and by terms other
        than the one that was ``asked`` for already.
        """
        given = filters.columns()
        columns = [(column, given[column]) for column in ("run", *within) if column in given]
        terms = [("word", word) for word in words(filters)]
        if filters.finding is not None:
            terms.append(("finding", clipped(filters.finding)))
        return cls(tuple(columns), tuple(term for term in terms if term != asked))

    @property
    def values(self) -> list[Any]:
        """In the order of the parameters."""
        return [value for _, value in self.columns] + [part for term in self.terms for part in term]

    def sql(self, first: int) -> str:
        """An expression whose parameters begin with that number."""
        parts = [
            f"{column} = ${number}{'::uuid' if column == 'run' else ''}"
            for number, (column, _) in enumerate(self.columns, first)
        ]
        free = first + len(parts)
        for number in range(free, free + 2 * len(self.terms), 2):
            parts.append(_TOLD.format(f"${number}", f"${number + 1}"))
        return " AND ".join(parts) or "true"

    def look(self, most: int) -> int:
        """How many entries are looked at for so many positions."""
        if self.terms:
            # What the columns rule out isn't asked for its terms.
            return min(most * _PROBE, max(most, _PROBE_MOST)) * (2 if self.columns else 1)
        return min(most * _LOOK, max(most, _LOOK_MOST)) if self.columns else most


def words(filters: Filters) -> list[str]:
    """Those that a text asks for, as terms."""
    wanted = filters.wanted()
    phrases = () if wanted is None else wanted.phrases
    return sorted({clipped(word) for phrase in phrases for word in phrase})


def clipped(term: str) -> str:
    """As it is in the index."""
    return term[:LONGEST_TERM]


def merged(found: Sequence[Found], *, down: bool, most: int) -> Found:
    """Those of several scans, as far as all of them have looked."""
    if len(found) == 1:
        return found[0]
    positions = sorted((at for one in found for at in one.positions), reverse=down)
    ends = [one.last for one in found if one.last is not None]
    if not ends:
        end = None
    elif down:
        end = max(ends)
        positions = [at for at in positions if at >= end]
    else:
        end = min(ends)
        positions = [at for at in positions if at <= end]
    if len(positions) > most:
        return Found.full(positions[:most], most)
    return Found(positions, end)
