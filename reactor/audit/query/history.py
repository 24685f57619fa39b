"""What became of a split, change by change: who, what, decided how, in effect when."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, Protocol

import msgspec

from reactor.audit.query.cursor import Cursor
from reactor.audit.query.filters import Filters
from reactor.audit.query.pages import Paged
from reactor.audit.query.sightings import sightings
from reactor.audit.row import Row

LONGEST: Final = 100
"""Changes in one answer."""
_REACH: Final = 500
"""Decisions on the service that are read to find what followed, and as many endings;"""
_MORE: Final = 10
"""so many more than there are changes, at first: one each, as a rule."""
_TRIED: Final = frozenset({"conflict", "failed", "interrupted"})
"""Outcomes after which it is decided again."""


class Place(msgspec.Struct, frozen=True):
    """Which entry says so, and when it was written (microseconds UTC)."""

    run: str
    seq: int
    at: int


class Weight(msgspec.Struct, frozen=True):
    """A backend, with its weight as its author wrote it (JSON)."""

    service: str
    weight: msgspec.Raw


class Decided(msgspec.Struct, frozen=True):
    """What was decided: the split that won, and all findings."""

    entry: Place
    winner: str | None
    valid: bool
    findings: tuple[Mapping[str, str], ...]


class Ended(msgspec.Struct, frozen=True):
    """How it ended; ``durations`` in seconds by stage. ``retried`` is from the first decision until
    the try that ended like this, of a change whose write was tried again.
    """

    entry: Place
    outcome: str
    durations: Mapping[str, float]
    message: str = ""


class Change(msgspec.Struct, frozen=True):
    """One change of a split. Weights are None where there is no split, or none that can be read.

    ``decided`` is None when no decision was made on it, for instance since a later change came
    first; ``ended`` None while it isn't known.
    """

    entry: Place
    type: str
    actor: str | None
    service: str | None
    before: tuple[Weight, ...] | None
    after: tuple[Weight, ...] | None
    decided: Decided | None = None
    ended: Ended | None = None


class History(msgspec.Struct, frozen=True):
    """Changes, newest first; ``next`` leads to earlier ones."""

    changes: tuple[Change, ...]
    next: str | None


class Log(Paged, Protocol):
    """A Reader, as far as it is needed here."""

    async def documents(self, digests: Sequence[bytes]) -> Mapping[bytes, str]: ...


class _Desired(msgspec.Struct):
    winner: str | None = None
    valid: bool = True
    findings: tuple[dict[str, str], ...] = ()


class _Detail(msgspec.Struct):
    """Of `observed`, `translated` and `synced`: what is told here."""

    type: str = ""
    desired: _Desired | None = None
    durations: dict[str, float] = {}
    message: str = ""


class _Spec(msgspec.Struct):
    backends: tuple[Weight, ...] = ()


class _Document(msgspec.Struct):
    spec: _Spec = msgspec.field(default_factory=_Spec)


_detail = msgspec.json.Decoder(_Detail).decode
_document = msgspec.json.Decoder(_Document).decode


async def history(
    log: Log, namespace: str, split: str, *, limit: int = 20, cursor: str | None = None
) -> History:
    """The last changes of a split before ``cursor``. Raises as `Reader.entries` does."""
    if not 1 <= limit <= LONGEST:
        raise ValueError(f"limit must be 1 to {LONGEST}, not {limit}")
    found = await sightings(log, namespace, split, limit=limit, cursor=cursor)
    rows = found.rows
    if not rows:
        return History((), found.next)
    befores = [*rows[1:], found.before]
    digests = [row.digests[0] for row in (*rows, found.before) if row is not None and row.digests]
    # Both wait for the disk most of the time.
    bodies, followed = await asyncio.gather(
        log.documents(digests), _followed(log, namespace, rows), return_exceptions=True
    )
    if isinstance(bodies, BaseException):
        raise bodies
    if isinstance(followed, BaseException):
        raise followed
    changes = [
        _change(row, before, bodies, followed) for row, before in zip(rows, befores, strict=True)
    ]
    return History(tuple(changes), found.next)


class _Way(NamedTuple):
    """From a change into effect: its first decision, how the first try ended, and the last one.

    ``over``: nothing that comes later belongs to it.
    """

    decision: Row | None
    tried: Row | None
    ended: Row | None
    over: bool


class _Followed:
    """Decisions, with the outcomes of their reconciles: each of a service's in their order."""

    def __init__(self) -> None:
        self._decisions: dict[str | None, list[Row]] = {}
        self._ended: dict[str | None, Row] = {}

    def add(self, rows: Sequence[Row]) -> None:
        """The next ones of a service."""
        for row in rows:
            if row.kind == "translated":
                self._decisions.setdefault(row.service, []).append(row)
            elif row.kind == "synced":
                self._ended.setdefault(row.reconcile, row)

    def way(self, change: Row) -> _Way:
        """As far as is known. No decision when none was made before a later change came."""
        gone = _detail(change.detail).type == "deleted"
        decisions = self._decisions.get(change.service, [])
        start = bisect_right(decisions, change.position, key=lambda later: later.position)
        first = tried = ended = None
        if not change.digests:
            return _Way(first, tried, ended, over=True)
        for decision in decisions[start:]:
            if (change.digests[0] in decision.digests) is gone:
                return _Way(first, tried, ended, over=True)
            first = first or decision
            end = self._ended.get(decision.reconcile)
            if end is None:
                break
            tried, ended = tried or end, end
            if end.outcome not in _TRIED:
                return _Way(first, tried, ended, over=True)
        return _Way(first, tried, ended, over=False)


async def _followed(log: Log, namespace: str, shown: Sequence[Row]) -> _Followed:
    """Of the splits' services, from the oldest of these changes on."""
    found = _Followed()
    for service in dict.fromkeys(row.service for row in shown if row.service is not None):
        changes = [row for row in shown if row.service == service]
        begin = str(Cursor(min(row.position for row in changes), above=True))
        newest = max(changes, key=lambda row: row.position)
        # Each kind by itself: half of a service's rows are what was seen, and not asked for here.
        cursors: dict[str, str | None] = {"translated": begin, "synced": begin}
        rest = _REACH
        while rest > 0 and any(cursors.values()) and not found.way(newest).over:
            limit = min(rest, len(changes) + _MORE)
            for kind, cursor in cursors.items():
                if cursor is not None:
                    asked = Filters(kind=kind, namespace=namespace, service=service)
                    page = await log.entries(asked, limit=limit, order="oldest", cursor=cursor)
                    found.add(page.entries)
                    cursors[kind] = page.next
            rest -= limit
    return found


def _change(
    row: Row, before: Row | None, bodies: Mapping[bytes, str], followed: _Followed
) -> Change:
    detail = _detail(row.detail)
    way = followed.way(row)
    return Change(
        entry=_place(row),
        type=detail.type,
        actor=row.actor,
        service=row.service,
        before=None if before is None else _weights(before, bodies),
        after=_weights(row, bodies),
        decided=None if way.decision is None else _decided(way.decision),
        ended=_ended(way),
    )


def _decided(row: Row) -> Decided:
    desired = _detail(row.detail).desired or _Desired()
    return Decided(_place(row), desired.winner, desired.valid, desired.findings)


def _ended(way: _Way) -> Ended | None:
    if way.ended is None:
        return None
    detail = _detail(way.ended.detail)
    return Ended(_place(way.ended), way.ended.outcome or "", _durations(way), detail.message)


def _durations(way: _Way) -> Mapping[str, float]:
    """By stage; of a change that was tried again, from its first try on."""
    assert way.ended is not None
    last = _detail(way.ended.detail).durations
    if way.tried in (None, way.ended) or way.decision is None:
        return last
    tried = _detail(way.tried.detail).durations
    stages = {stage: tried.get(stage, 0.0) for stage in ("queued", "decided")}
    sent = {stage: last.get(stage, 0.0) for stage in ("committed", "written")}
    passed = (way.ended.at - way.decision.at) / 1e6
    stages["retried"] = round(max(0.0, passed - sum(sent.values())), 6)
    stages |= sent
    return {**stages, "total": round(sum(stages.values()), 6)} if "total" in last else stages


def _weights(row: Row, bodies: Mapping[bytes, str]) -> tuple[Weight, ...] | None:
    if not row.digests or _detail(row.detail).type == "deleted":
        return None
    body = bodies.get(row.digests[0])
    try:
        return None if body is None else _document(body).spec.backends
    except msgspec.MsgspecError:
        return None


def _place(row: Row) -> Place:
    return Place(row.run, row.seq, row.at)
