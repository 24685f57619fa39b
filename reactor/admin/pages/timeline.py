"""GET /splits/{namespace}/{split}: what became of one split, change by change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec

from reactor.admin import filters, question
from reactor.admin.pages import paths
from reactor.admin.pages.bars import Bar, bars
from reactor.admin.pages.chart import Shares, chart
from reactor.admin.pages.page import Page
from reactor.admin.stories import HISTORY
from reactor.audit.query.history import Change, Log, Weight, history

_CHANGES = 20
_STAGES = ("queued", "decided", "retried", "committed", "written")


class Line(msgspec.Struct, frozen=True):
    """A backend before and after a change; None where it was not part of the split. ``known``
    says whether the log still tells what was before.
    """

    name: str
    before: Bar | None
    after: Bar | None
    known: bool

    @property
    def differs(self) -> bool:
        """Whether its weight changed."""
        texts = [None if bar is None else bar.text for bar in (self.before, self.after)]
        return self.known and texts[0] != texts[1]


class Stage(msgspec.Struct, frozen=True):
    """A stage on the way into effect: milliseconds, and its percent of all."""

    name: str
    milliseconds: float
    bar: Bar


class Shown(msgspec.Struct, frozen=True):
    """A change on the page."""

    change: Change
    lines: list[Line]
    stages: list[Stage]


def page(log: Log) -> Page:
    """The page."""

    async def show(places: Mapping[str, Any], query: bytes, now: int) -> Mapping[str, Any]:
        given = question.read(query, HISTORY, now=now)
        namespace, name = places["namespace"], places["split"]
        limit = given.get("limit", _CHANGES)
        found = await history(log, namespace, name, limit=limit, cursor=given.get("cursor"))
        here = paths.split(namespace, name)
        kept = {name: value for name, value in given.items() if name != "cursor"}
        return {
            "title": f"{namespace}/{name}",
            "namespace": namespace,
            "name": name,
            "changes": [_shown(change) for change in found.changes],
            "chart": chart([(c.entry.at, _shares(c.after)) for c in reversed(found.changes)]),
            "first": here if "cursor" in given else None,
            "next": found.next and f"{here}?{urlencode({**kept, 'cursor': found.next})}",
        }

    return Page(
        "/splits/{namespace}/{split}", "timeline.html", show, (filters.NAMESPACE, filters.SPLIT)
    )


def _shown(change: Change) -> Shown:
    before = {bar.name: bar for bar in _bars(change.before)}
    after = {bar.name: bar for bar in _bars(change.after)}
    known = change.before is not None or change.type == "added"
    if not known:
        before = {name: Bar(name, "not known", None) for name in after}
    lines = [Line(name, before.get(name), after.get(name), known) for name in {**after, **before}]
    return Shown(change, lines, _stages(change))


def _stages(change: Change) -> list[Stage]:
    durations = {} if change.ended is None else change.ended.durations
    known = {name: durations[name] * 1000 for name in _STAGES if name in durations}
    whole = sum(known.values())
    return [
        Stage(name, took, Bar(name, None, 100 * took / whole if whole else 0.0))
        for name, took in known.items()
    ]


def _shares(weights: Sequence[Weight] | None) -> Shares:
    found = {bar.name: bar.share for bar in _bars(weights)}
    shares = {name: share for name, share in found.items() if share is not None}
    return shares if len(shares) == len(found) else None


def _bars(weights: Sequence[Weight] | None) -> list[Bar]:
    return bars((weight.service, _text(weight.weight)) for weight in weights or ())


def _text(weight: msgspec.Raw) -> str:
    """As its author wrote it."""
    value = msgspec.json.decode(weight)
    return value if isinstance(value, str) else bytes(weight).decode()
