"""What rows say, as terms to be searched for."""

from __future__ import annotations

from typing import Final, NamedTuple

from reactor.audit.index.words import NOTHING, said

LONGEST: Final = 64
"""Characters of a term that are kept: an index entry has to fit into a page;"""
_FINDINGS: Final = 256
"""so many of all findings of a row."""
PLACES: Final = 64
"""Places in a message that are told apart: behind those they are counted from the first again."""
ANYWHERE: Final = -1
"""The places of a term that may be at any."""


class Term(NamedTuple):
    """``places``: a bit for each at which a word stands, the first one the lowest."""

    field: str
    term: str
    places: int


class Told(NamedTuple):
    """``findings``: all reasons, one a line; None when they are too many to be kept."""

    findings: str | None
    terms: tuple[Term, ...]


def told(detail: str) -> Told | None:
    """What a row with this detail says; None when it is nothing."""
    found = said(detail)
    if found is NOTHING:
        return None
    findings = dict.fromkeys(map(clipped, found.findings))
    places: dict[str, int] = {}
    for place, word in enumerate(map(clipped, found.text.split())):
        places[word] = places.get(word, 0) | 1 << place % PLACES
    joined = "\n".join(findings)
    return Told(
        joined if len(joined) <= _FINDINGS else None,
        (
            *(Term("finding", finding, ANYWHERE) for finding in findings),
            *(Term("word", word, _signed(bits)) for word, bits in places.items()),
        ),
    )


def clipped(term: str) -> str:
    """As it is in the index."""
    return term[:LONGEST]


def _signed(bits: int) -> int:
    return bits - (1 << PLACES) if bits >> PLACES - 1 else bits
