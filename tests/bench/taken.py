"""How long each question to a long log took, and the figures that come of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from tests.bench import samples
from tests.bench.figure import Figure
from tests.bench.questions import Group, Listing, Question, Story, Travel

LIMIT: Final = 50.0
"""Milliseconds."""
_NAMES: Final[Mapping[Group, str]] = {
    "filters": "filters",
    "pairs": "pairs",
    "any": "any other combination",
    "travel": "time travel",
    "history": "history of one split",
}


class Taken(msgspec.Struct, frozen=True):
    """Milliseconds, of which processors were ``busy`` with it, and whether it was answered in
    part only.
    """

    question: Question
    milliseconds: float
    busy: float
    partial: bool


def figures(
    asked: str, where: str, taken: Sequence[Taken], *, raw: Sequence[float], what: str
) -> list[Figure]:
    """One for each group of questions; ``raw`` are milliseconds, of ``what``."""
    groups: dict[Group, list[Taken]] = defaultdict(list)
    for each in taken:
        groups[each.question.group].append(each)
    return [
        Figure.of(
            f"{asked} query p99, {_NAMES[group]}, {where}",
            "ms",
            [samples.percentile([each.milliseconds for each in found], 99)],
            raw=[samples.percentile(raw, 99)],
            limit=LIMIT,
            rule=f"{LIMIT:.0f} ms",
            note=f"{_note(found)}; raw is {what}",
        )
        for group, found in groups.items()
    ]


def partial(name: str, taken: Sequence[Taken]) -> Figure:
    """How many of those that have to be answered whole were not."""
    wrong = [each for each in taken if each.partial and each.question.whole]
    return Figure.of(
        name,
        "",
        [len(wrong)],
        limit=0.0,
        rule="none",
        note="; ".join(sorted({_told(each.question) for each in wrong})[:3]),
    )


def _note(found: Sequence[Taken]) -> str:
    worst = sorted(found, key=lambda each: -each.milliseconds)[:2]
    half = samples.median([each.milliseconds for each in found])
    busy = samples.percentile([each.busy for each in found], 99)
    said = "; ".join(
        f"{each.milliseconds:.1f} ms, {each.busy:.1f} busy: {_told(each.question)}"
        for each in worst
    )
    return (
        f"{len(found)} questions, median {half:.1f} ms, p99 of the processors' time {busy:.1f} ms,"
        f" {sum(each.partial for each in found)} answered in part; the worst: {said}"
    )


def _told(question: Question) -> str:
    """In a few words."""
    if not isinstance(question, Listing):
        assert isinstance(question, Travel | Story)
        return ", ".join(map(str, msgspec.structs.astuple(question)[:3]))
    filters = question.filters
    given = " ".join(f"{name}={getattr(filters, name)}" for name in sorted(filters.given()))
    return f"{given}, {question.order} first, {'last' if question.last else 'first'} page"
