"""How a service's profile stood at a moment, and which entry made it so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from reactor.audit.query.filters import Filters
from reactor.audit.query.history import Log, Place
from reactor.audit.row import Row

_PAGE: Final = 50
_WRITTEN: Final = frozenset({"created", "patched"})


class Override(msgspec.Struct, frozen=True):
    """One of a profile's dstOverrides, its weight as it stands there."""

    authority: str
    weight: str | int | float


class Standing(msgspec.Struct, frozen=True):
    """The overrides at a moment: None when there was no profile, or nothing is known.

    ``entry`` made them so (None: the log has nothing from before), ``actor`` is its author.
    """

    overrides: tuple[Override, ...] | None
    entry: Place | None = None
    actor: str | None = None
    outcome: str | None = None


class _Plan(msgspec.Struct):
    overrides: tuple[Override, ...] | None = None


class _Detail(msgspec.Struct):
    type: str = ""
    plan: _Plan | str = ""
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
    later of the two.
    """
    filters = Filters(namespace=namespace, service=service, until=None if at is None else at + 1)
    cursor: str | None = None
    while True:
        page = await log.entries(filters, limit=_PAGE, cursor=cursor)
        for row in page.entries:
            if (found := await _made(log, row)) is not None:
                return found
        cursor = page.next
        if cursor is None:
            return Standing(None)


async def _made(log: Log, row: Row) -> Standing | None:
    """What this row says of the profile; None when it says nothing."""
    if row.kind == "observed" and row.split is None:
        overrides = await _seen(log, row)
    elif row.kind == "synced" and row.outcome in _WRITTEN:
        overrides = await _asked(log, row)
    elif row.kind == "synced" and row.outcome == "deleted":
        overrides = None
    else:
        return None
    place = Place(row.run, row.seq, row.at)
    return Standing(overrides, place, row.actor or "smi-adaptor", row.outcome)


async def _seen(log: Log, row: Row) -> tuple[Override, ...] | None:
    detail = _detail(row.detail)
    if detail.type == "deleted" or detail.gone or not row.digests:
        return None
    bodies: Mapping[bytes, str] = await log.documents([row.digests[0]])
    body = bodies.get(row.digests[0])
    if body is None:
        return None
    spec = _profile(body).spec
    return (spec.dst_overrides if spec is not None else None) or ()


async def _asked(log: Log, row: Row) -> tuple[Override, ...] | None:
    """What the decision that this outcome ends wrote."""
    page = await log.entries(Filters(kind="translated", reconcile=row.reconcile), limit=10)
    for decision in page.entries:
        if decision.position < row.position:
            plan = _detail(decision.detail).plan
            return (plan.overrides if isinstance(plan, _Plan) else None) or ()
    return None
