"""What became of a split, change by change: who, what, decided how, in effect when."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

import msgspec

from reactor.audit.query.cursor import Cursor
from reactor.audit.query.filters import Filters, Order
from reactor.audit.query.pages import Page
from reactor.audit.row import Row

LONGEST: Final = 100
"""Changes in one answer."""
_REACH: Final = 500
"""Decisions on the service that are read to find what followed, and as many endings;"""
_MORE: Final = 10
"""so many more than there are changes, at first: one each, as a rule."""


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
    """How it ended; ``durations`` in seconds by stage."""

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


class Log(Protocol):
    """A Reader, as far as it is needed here."""

    async def entries(
        self,
        filters: Filters,
        *,
        limit: int = 100,
        order: Order = "newest",
        cursor: str | None = None,
    ) -> Page: ...

    async def documents(self, digests: Sequence[bytes]) -> Mapping[bytes, str]: ...


class _Split(msgspec.Struct):
    digest: str


class _Desired(msgspec.Struct):
    winner: str | None = None
    valid: bool = True
    findings: tuple[dict[str, str], ...] = ()


class _Detail(msgspec.Struct):
    """Of `observed`, `translated` and `synced`: what is told here."""

    type: str = ""
    digest: str = ""
    splits: tuple[_Split, ...] = ()
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
    seen = Filters(kind="observed", namespace=namespace, split=split)
    # One more than are shown: what the oldest of them changed is in the one before.
    page = await log.entries(seen, limit=limit + 1, cursor=cursor)
    rows = page.entries
    if not rows:
        return History((), page.next)
    shown = rows[:limit]
    bodies = await log.documents([row.digests[0] for row in rows if row.digests])
    followed = await _followed(log, namespace, shown)
    changes = [
        _change(row, rows[number + 1] if number + 1 < len(rows) else None, bodies, followed)
        for number, row in enumerate(shown)
    ]
    more = len(rows) > limit or page.next is not None
    last = Cursor(shown[-1].position, above=False) if more else None
    return History(tuple(changes), None if last is None else str(last))


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

    def decision(self, service: str | None, position: int) -> Row | None:
        """The first one on a service behind a position."""
        decisions = self._decisions.get(service, [])
        at = bisect_right(decisions, position, key=lambda later: later.position)
        return decisions[at] if at < len(decisions) else None

    def has(self, kind: str, service: str, position: int) -> bool:
        """Whether nothing more of that kind is needed for a change there."""
        decision = self.decision(service, position)
        if kind == "translated":
            return decision is not None
        return decision is None or self.ended(decision) is not None

    def ended(self, decision: Row) -> Row | None:
        """The first outcome of its reconcile."""
        return self._ended.get(decision.reconcile)


async def _followed(log: Log, namespace: str, shown: Sequence[Row]) -> _Followed:
    """Of the splits' services, from the oldest of these changes on."""
    found = _Followed()
    for service in dict.fromkeys(row.service for row in shown if row.service is not None):
        changes = [row.position for row in shown if row.service == service]
        # Each kind by itself: half of a service's rows are what was seen, and not asked for here.
        for kind in ("translated", "synced"):
            cursor: str | None = str(Cursor(min(changes), above=True))
            rest = _REACH
            while cursor is not None and rest > 0 and not found.has(kind, service, max(changes)):
                page = await log.entries(
                    Filters(kind=kind, namespace=namespace, service=service),
                    limit=min(rest, len(changes) + _MORE),
                    order="oldest",
                    cursor=cursor,
                )
                found.add(page.entries)
                rest -= len(page.entries)
                cursor = page.next
    return found


def _change(
    row: Row, before: Row | None, bodies: Mapping[bytes, str], followed: _Followed
) -> Change:
    detail = _detail(row.detail)
    decision = _decision(row, detail.digest, followed)
    return Change(
        entry=_place(row),
        type=detail.type,
        actor=row.actor,
        service=row.service,
        before=None if before is None else _weights(before, bodies),
        after=_weights(row, bodies),
        decided=None if decision is None else _decided(decision),
        ended=None if decision is None else _ended(decision, followed),
    )


def _decision(row: Row, digest: str, followed: _Followed) -> Row | None:
    """The first decision behind this change; None when it was made on a later state."""
    later = followed.decision(row.service, row.position)
    if later is None:
        return None
    deleted = _detail(row.detail).type == "deleted"
    looked_at = any(split.digest == digest for split in _detail(later.detail).splits)
    return later if looked_at is not deleted else None


def _decided(row: Row) -> Decided:
    desired = _detail(row.detail).desired or _Desired()
    return Decided(_place(row), desired.winner, desired.valid, desired.findings)


def _ended(decision: Row, followed: _Followed) -> Ended | None:
    later = followed.ended(decision)
    if later is None:
        return None
    detail = _detail(later.detail)
    return Ended(_place(later), later.outcome or "", detail.durations, detail.message)


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
