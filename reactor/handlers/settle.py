"""Closes what a crash left open: decisions of earlier runs whose end the log does not know."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import msgspec

from reactor.audit.entry import Entry
from reactor.events import Key
from reactor.handlers.ports import Journal, Profiles
from reactor.handlers.record import SyncedDetail
from reactor.model.serviceprofile import ServiceProfile
from reactor.translate.decision import Create, Decision, Delete, Patch


class OpenDecision(msgspec.Struct, frozen=True):
    """A `translated` row of an earlier run without its `synced` row."""

    key: Key
    reconcile: str
    attempt: int
    decision: Decision


def settle(
    left_open: Iterable[OpenDecision],
    *,
    journal: Journal,
    profiles: Profiles,
    profile_name: Callable[[Key], str],
    wall: Callable[[], int] = lambda: time.time_ns() // 1000,
) -> int:
    """Append an `interrupted` row for each, with what the cluster shows now; returns how many.

    Called after the first lists, before any worker, so what it says is newer than the crash.
    """
    count = 0
    for opened in left_open:
        live = profiles.get(opened.key.namespace, profile_name(opened.key))
        plan = opened.decision.plan
        detail = SyncedDetail(
            plan=type(plan).__name__.lower(),
            attempt=opened.attempt,
            message=_what_became(plan, live),
        )
        journal.append(
            Entry(
                kind="synced",
                at=wall(),
                detail=msgspec.json.encode(detail),
                namespace=opened.key.namespace,
                split=opened.decision.desired.winner,
                service=opened.key.service,
                outcome="interrupted",
                reconcile=opened.reconcile,
                resource_version=live.meta.resource_version if live else None,
            )
        )
        count += 1
    return count


def _what_became(plan: object, live: ServiceProfile | None) -> str:
    ended = "the process ended before the outcome was recorded; "
    if isinstance(plan, Create | Patch):
        there = live is not None and live.overrides == plan.overrides
        return ended + (
            "the cluster shows what was decided"
            if there
            else "the cluster does not show what was decided"
        )
    if isinstance(plan, Delete):
        gone = live is None or live.meta.uid != plan.uid
        return ended + ("the profile is gone" if gone else "the profile is still there")
    return ended + "nothing was to be written"
