"""Recorded decisions made again by today's code, from the log alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import msgspec

from reactor.audit.query.batches import Batch, Recorded
from reactor.audit.query.filters import Filters
from reactor.audit.query.pages import Span
from reactor.replay.difference import Field, fields
from reactor.replay.documents import Documents, Missing
from reactor.translate import decide
from reactor.translate.decision import Decision
from reactor.translate.recorded import restore


class Batches(Protocol):
    """A Source, as far as it is needed here."""

    def batches(self, filters: Filters, span: Span) -> Iterator[Batch]:
        """As `reactor.replay.source.Source`."""
        ...


class Difference(msgspec.Struct, frozen=True):
    """A row whose decision is another one today. ``split`` is the winner; ``at`` microseconds."""

    run: str
    seq: int
    at: int
    namespace: str | None
    service: str | None
    split: str | None
    fields: tuple[Field, ...]


class Trouble(msgspec.Struct):
    """Rows that could not be replayed for one reason: how many, and the first, as run:seq."""

    rows: int
    first: str


class Part(msgspec.Struct):
    """What came of the rows between ``low`` and ``high``; ``undecodable`` by why."""

    span: Span
    same: int = 0
    different: list[Difference] = []
    undecodable: dict[str, Trouble] = {}


class Replayer:
    """Decides rows of a log again; ``filters`` let `translated` rows pass and no others."""

    def __init__(self, source: Batches, filters: Filters) -> None:
        self._source = source
        self._filters = msgspec.structs.replace(filters, kind="translated")
        self._documents = Documents()

    def again(self, span: Span) -> Part:
        """All of them between two positions."""
        part = Part(span)
        documents = self._documents
        for batch in self._source.batches(self._filters, span):
            documents.open(batch.documents)
            for row in batch.rows:
                try:
                    situation, recorded = restore(row.detail, row.digests, documents, exact=True)
                except (Missing, ValueError) as error:
                    _count(part.undecodable, _why(error), row)
                    continue
                today = decide(situation)
                if today == recorded:
                    part.same += 1
                else:
                    part.different.append(_difference(row, recorded, today))
        return part


def _count(troubles: dict[str, Trouble], why: str, row: Recorded) -> None:
    found = troubles.get(why)
    if found is None:
        troubles[why] = Trouble(1, f"{row.run}:{row.seq}")
    else:
        found.rows += 1


def _difference(row: Recorded, recorded: Decision, today: Decision) -> Difference:
    return Difference(
        row.run,
        row.seq,
        row.at,
        row.namespace,
        row.service,
        row.split,
        fields(recorded, today),
    )


def _why(error: Exception) -> str:
    """Alike for all rows with the same trouble."""
    if isinstance(error, Missing):
        return "a document that it refers to is not in the log"
    if isinstance(error, msgspec.ValidationError):
        return f"its detail is of another form: {error}"
    return f"its detail or a document of it can't be read: {error}"
