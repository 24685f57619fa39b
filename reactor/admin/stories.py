"""What the log tells of one split, and of one profile at a moment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from reactor.admin import filters, moment, question, wire
from reactor.admin.route import Route
from reactor.audit.query.history import LONGEST, Change, Decided, Ended, Log, Place, history
from reactor.audit.query.standing import Standing, standing

_CHANGES = 20
_AT = filters.time("at", "The moment; the latest known without it.")
_FROM = filters.time("from", "The earlier moment.", required=True)
_TO = filters.time("to", "The later moment; the latest known without it.")
HISTORY = (filters.limit(LONGEST, _CHANGES, "How many changes at most."), filters.CURSOR)


class Stories(Log, Protocol):
    """A Reader."""


def routes(log: Stories) -> tuple[Route, ...]:
    """The paths."""

    async def changes(places: Mapping[str, Any], query: bytes, now: int) -> bytes:
        asked = question.read(query, HISTORY, now=now)
        found = await history(
            log,
            places["namespace"],
            places["split"],
            limit=asked.get("limit", _CHANGES),
            cursor=asked.get("cursor"),
        )
        return msgspec.json.encode(
            wire.History([_change(change) for change in found.changes], found.next)
        )

    async def stood(places: Mapping[str, Any], query: bytes, now: int) -> bytes:
        at = question.read(query, (_AT,), now=now).get("at")
        return msgspec.json.encode(
            _standing(await standing(log, places["namespace"], places["service"], at=at))
        )

    async def compared(places: Mapping[str, Any], query: bytes, now: int) -> bytes:
        asked = question.read(query, (_FROM, _TO), now=now)
        place = places["namespace"], places["service"]
        before = await standing(log, *place, at=asked["from"])
        after = await standing(log, *place, at=asked.get("to"))
        known = [standing.entry is not None for standing in (before, after)]
        differs = before.overrides != after.overrides or known[0] != known[1]
        return msgspec.json.encode(wire.Difference(differs, _standing(before), _standing(after)))

    profile = (filters.NAMESPACE, filters.SERVICE)
    return (
        Route(
            "/api/v1/splits/{namespace}/{split}",
            "What became of one split, change by change, newest first.",
            wire.History,
            changes,
            places=(filters.NAMESPACE, filters.SPLIT),
            parameters=HISTORY,
        ),
        Route(
            "/api/v1/profiles/{namespace}/{service}",
            "The overrides of a service's profile at a moment, and the entry that made them so.",
            wire.Standing,
            stood,
            places=profile,
            parameters=(_AT,),
        ),
        Route(
            "/api/v1/profiles/{namespace}/{service}/diff",
            "The overrides of a service's profile at two moments.",
            wire.Difference,
            compared,
            places=profile,
            parameters=(_FROM, _TO),
        ),
    )


def _place(place: Place) -> wire.Place:
    return wire.Place(place.run, place.seq, moment.text(place.at))


def _change(change: Change) -> wire.Change:
    return wire.Change(
        entry=_place(change.entry),
        type=change.type,
        actor=change.actor,
        service=change.service,
        before=None if change.before is None else list(change.before),
        after=None if change.after is None else list(change.after),
        decided=None if change.decided is None else _decided(change.decided),
        ended=None if change.ended is None else _ended(change.ended),
    )


def _decided(decided: Decided) -> wire.Decided:
    return wire.Decided(
        _place(decided.entry), decided.winner, decided.valid, list(decided.findings)
    )


def _ended(ended: Ended) -> wire.Ended:
    return wire.Ended(_place(ended.entry), ended.outcome, dict(ended.durations), ended.message)


def _standing(found: Standing) -> wire.Standing:
    return wire.Standing(
        overrides=None if found.overrides is None else list(found.overrides),
        entry=None if found.entry is None else _place(found.entry),
        actor=found.actor,
        outcome=found.outcome,
        gap=None if found.gap is None else _place(found.gap),
    )
