"""How a service's profile stood at a moment, and which entry made it so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from reactor.audit.buffer import GapDetail
from reactor.audit.query.filters import Filters
from reactor.audit.query.history import Log, Place
from reactor.audit.row import Row

_PAGE: Final = 50
_BACK: Final = 200
"""Rows that are looked at for the one that made it so: someone may touch a profile ever again."""
_GAPS: Final = 20
"""Gaps that are looked at: the first as a rule is the one, if any."""
_WRITTEN: Final = frozenset({"created", "patched"})


class Override(msgspec.Struct, frozen=True):
    """One of a profile's dstOverrides, its weight as it stands there."""

    authority: str
    weight: str | int | float


class Standing(msgspec.Struct, frozen=True):
    """The overrides at a moment: None when there was no profile, or nothing is known.

    ``entry`` made them so, ``actor`` is its author. Without an entry nothing is known: the log has
    nothing from before, or no more what it would take to tell. ``gap`` is the `gap` row of rows
    that were lost since then, of which one may have told of another state.
    """

    overrides: tuple[Override, ...] | None
    entry: Place | None = None
    actor: str | None = None
    outcome: str | None = None
    gap: Place | None = None


_UNKNOWN: Final = Standing(None)


class _Desired(msgspec.Struct, frozen=True):
    overrides: tuple[Override, ...] | None = None


class _Plan(msgspec.Struct):
    overrides: tuple[Override, ...] | msgspec.UnsetType | None = msgspec.UNSET


class _Detail(msgspec.Struct):
    """Of `observed`, `translated` and `synced`. A plan that names no overrides has the desired."""

    type: str = ""
    plan: _Plan | str = ""
    desired: _Desired = _Desired()
    gone: bool = False


class _Spec(msgspec.Struct, rename="camel"):
    dst_overrides: tuple[Override, ...] | None = None


class _Profile(msgspec.Struct):
    spec: _Spec | None = None


_detail = msgspec.json.Decoder(_Detail).decode
_profile = msgspec.json.Decoder(_Profile).decode


async def standing(log: Log, namespace: str, service: str, *, at: int | None = None) -> Standing:
    """As of ``at`` (microseconds UTC), or as the log knows it last.

    What someone's watch saw counts, and so does what the API server answered to our writes: the
    later of the two. Who only saw it, or changed something else of it, didn't make it so.
    """
    found = await _last(log, namespace, service, at)
    if found.entry is None:
        return found
    return msgspec.structs.replace(found, gap=await _gap(log, found.entry.at, at))


async def _gap(log: Log, since: int, at: int | None) -> Place | None:
    """The first row that tells of rows lost between two moments; it is written when that ends."""
    page = await log.entries(Filters(kind="gap", since=since), limit=_GAPS, order="oldest")
    for row in page.entries:
        gap = msgspec.json.decode(row.detail, type=GapDetail)
        if gap.last >= since and (at is None or gap.first <= at):
            return Place(row.run, row.seq, row.at)
    return None


async def _last(log: Log, namespace: str, service: str, at: int | None) -> Standing:
    filters = Filters(namespace=namespace, service=service, until=None if at is None else at + 1)
    cursor: str | None = None
    found: Standing | None = None
    looked = 0
    while True:
        # As a rule the first page tells; what it leaves open is looked for in one more.
        limit = _PAGE if found is None else _BACK - looked
        page = await log.entries(filters, limit=limit, cursor=cursor)
        bodies = _Bodies(log)
        for number, row in enumerate(page.entries):
            older = page.entries[number:]
            told = await _told(log, row, older, bodies, one=found is None)
            if told is None:
                continue
            if found is not None and (told.entry is None or told.overrides != found.overrides):
                return found
            found = told
            if told.entry is None or row.kind == "synced":
                return found
        looked += len(page.entries)
        cursor = page.next
        if cursor is None or (found is not None and looked >= _BACK):
            return found or _UNKNOWN


class _Bodies:
    """Documents of rows that saw the profile."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._found: dict[bytes, str] = {}

    async def of(self, row: Row, others: Sequence[Row]) -> str | None:
        """The row's, asked for with those of the others; None when it is gone."""
        if not row.digests:
            return None
        if row.digests[0] not in self._found:
            seen = [one for one in (row, *others) if one.kind == "observed" and one.split is None]
            digests = [one.digests[0] for one in seen if one.digests]
            self._found |= await self._log.documents(digests)
        return self._found.get(row.digests[0])


async def _told(
    log: Log, row: Row, older: Sequence[Row], bodies: _Bodies, *, one: bool
) -> Standing | None:
    """What this row says of the profile; None when it says nothing. Without an entry when what it
    refers to is gone, so that nobody knows what it said. ``one``: no other document is read.
    """
    overrides: tuple[Override, ...] | None = None
    if row.kind == "observed" and row.split is None:
        detail = _detail(row.detail)
        if detail.type != "deleted" and not detail.gone:
            body = await bodies.of(row, () if one else older)
            if body is None:
                return _UNKNOWN
            spec = _profile(body).spec
            overrides = (spec.dst_overrides if spec is not None else None) or ()
    elif row.kind == "synced" and row.outcome in _WRITTEN:
        decision = await _decision(log, row, older)
        if decision is None:
            return _UNKNOWN
        overrides = _written(decision)
    elif row.kind != "synced" or row.outcome != "deleted":
        return None
    place = Place(row.run, row.seq, row.at)
    return Standing(overrides, place, row.actor or "smi-adaptor", row.outcome)


async def _decision(log: Log, row: Row, older: Sequence[Row]) -> Row | None:
    """The one that this outcome ends: not far from it, as a rule."""
    if row.reconcile is None:
        return None
    for near in older:
        if near.kind == "translated" and near.reconcile == row.reconcile:
            return near
    page = await log.entries(Filters(kind="translated", reconcile=row.reconcile), limit=1)
    return page.entries[0] if page.entries else None


def _written(decision: Row) -> tuple[Override, ...]:
    detail = _detail(decision.detail)
    plan = detail.plan
    if isinstance(plan, str) or plan.overrides is msgspec.UNSET:
        return detail.desired.overrides or ()
    return plan.overrides or ()
