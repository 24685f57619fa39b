"""What an index can rule out before a row is read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple, Self

from reactor.audit.archive.terms import PLACES, clipped
from reactor.audit.query.filters import Filters
from reactor.audit.query.pages import Found

TERMS: Final = ("namespace", "kind", "outcome")
"""Columns of a term's index behind its key, which are as in the row."""
_LOOK: Final = 16_384
_PROBE: Final = 8
_PROBE_MOST: Final = 4_096
"""Entries of an index that are looked at: a step has to end before a page's time is up. Where each
asks for another term, they are so many for each position that is wanted, and at most.
"""
# No EXISTS: for that the server may read all rows of the term, and hash them.
_OTHER: Final = (
    "(SELECT {} FROM terms AS o WHERE o.cluster = $1 AND o.field = {} AND o.term = {}"
    " AND o.at = e.at AND o.run = e.run AND o.seq = e.seq)"
)
# Unknown is what isn't ruled out.
_FOUND: Final = "coalesce({} = ANY (string_to_array(e.findings, E'\\n')), true)"

Phrase = tuple[str, ...]


class Rule(NamedTuple):
    """Conditions on a row ``e``: ``columns`` of the index, its ``findings``, ``phrases`` of
    words, and ``finding`` as another term. ``asked`` is the word that all rows there say.
    """

    columns: tuple[tuple[str, str], ...] = ()
    findings: str | None = None
    phrases: tuple[Phrase, ...] = ()
    finding: str | None = None
    asked: str | None = None

    @classmethod
    def of(
        cls,
        filters: Filters,
        within: Sequence[str],
        *,
        asked: tuple[str, str] | None = None,
        ranked: Sequence[str] = (),
    ) -> Self:
        """All that can be answered by an index with these columns ``within``, and by terms other
        than the one that was ``asked`` for already. ``ranked``: words, the rarest first.
        """
        given = filters.columns()
        field, term = asked or (None, None)
        word = term if field == "word" else None
        finding = None if filters.finding is None else clipped(filters.finding)
        rank = {word: number for number, word in enumerate(ranked)}
        found = sorted(phrases(filters), key=lambda phrase: min(rank.get(w, 0) for w in phrase))
        return cls(
            tuple((column, given[column]) for column in ("run", *within) if column in given),
            finding if field == "word" else None,
            tuple(phrase for phrase in found if phrase != (word,)),
            finding if field is None else None,
            word,
        )

    def sql(self, first: int) -> tuple[str, list[Any]]:
        """An expression whose parameters begin with that number, and their values."""
        values: list[Any] = []

        def parameter(value: str) -> str:
            values.append(value)
            return f"${first + len(values) - 1}"

        parts = [
            f"{column} = {parameter(value)}{'::uuid' if column == 'run' else ''}"
            for column, value in self.columns
        ]
        if self.findings is not None:
            parts.append(_FOUND.format(parameter(self.findings)))
        for phrase in self.phrases:
            places = [
                _back("e", place)
                if word == self.asked
                else _OTHER.format(_back("o", place), "'word'", parameter(word))
                for place, word in enumerate(phrase)
            ]
            # Where all of them have a bit, the phrase begins.
            parts.append(f"coalesce(({' & '.join(places)}) <> 0, false)")
        if self.finding is not None:
            other = _OTHER.format("true", "'finding'", parameter(self.finding))
            parts.append(f"coalesce({other}, false)")
        return " AND ".join(parts) or "true", values

    def look(self, most: int) -> int:
        """How many entries are looked at for so many positions."""
        others = sum(word != self.asked for phrase in self.phrases for word in phrase)
        if others or self.finding is not None:
            found = min(most * _PROBE, max(most, _PROBE_MOST)) * 2 // max(2, others)
            # What the columns rule out isn't asked for its terms.
            return found * 2 if self.columns or self.findings is not None else found
        narrow = self.columns or self.phrases or self.findings is not None
        return max(most, _LOOK) if narrow else most


def phrases(filters: Filters) -> list[Phrase]:
    """Those that a text asks for, in terms, each once."""
    wanted = filters.wanted()
    found = () if wanted is None else wanted.phrases
    return list(dict.fromkeys(tuple(map(clipped, phrase)) for phrase in found))


def words(filters: Filters) -> list[str]:
    """Those that a text asks for, as terms."""
    return sorted({word for phrase in phrases(filters) for word in phrase})


def _back(table: str, places: int) -> str:
    """A term's places, so many before."""
    turn = places % PLACES
    bits = f"{table}.places"
    if not turn:
        return bits
    # The sign would come with what is shifted.
    kept = (1 << PLACES - turn) - 1
    return f"((({bits} >> {turn}) & {kept}) | ({bits} << {PLACES - turn}))"


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
