"""What stands in profiles against what splits ask for, one value a service."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from reactor.cli.given import Given, Named
from reactor.kube.snapshot import Snapshot
from reactor.model.names import profile_name
from reactor.model.serviceprofile import Override
from reactor.model.trafficsplit import TrafficSplit
from reactor.translate.decision import Create, Delete, Keep, Patch, Unchanged
from reactor.translate.survey import Judged

Change = Literal["create", "patch", "clear", "delete", "invalid", "kept", "skipped"]

QUIET: frozenset[Change] = frozenset({"kept", "skipped"})
"""What is as someone wants it to be, though no split asks for it."""


class Difference(msgspec.Struct, frozen=True):
    """One profile that is not what the splits ask for.

    ``change`` is what the adaptor would do: create, patch, clear (remove the overrides), delete;
    or why it does nothing: the split is invalid, the profile is annotated (skipped) or not ours to
    clean up (kept), which ``reason`` then says. ``now`` and ``wanted`` are None for no overrides.
    """

    namespace: str
    service: str
    split: str
    profile: str
    change: Change
    now: tuple[Override, ...] | None
    wanted: tuple[Override, ...] | None
    reason: str = ""


def overlaid(look: Snapshot, given: Given) -> tuple[list[TrafficSplit], set[Named]]:
    """The cluster's splits with those given in their place, and the services that this touches.

    A split that stands keeps its age and so its rank; a new one is younger than all.
    """
    splits = {(split.meta.namespace, split.meta.name): split for split in look.splits}
    touched: set[Named] = set()
    for key, split in given.splits.items():
        live = splits.get(key)
        if live is not None:
            touched.add((key[0], live.service or ""))
            split = msgspec.structs.replace(split, meta=live.meta)
        touched.add((key[0], split.service or ""))
        splits[key] = split
    return list(splits.values()), touched


def differences(judged: Iterable[Judged]) -> list[Difference]:
    """Those of these services that are not in sync."""
    return [found for one in judged if (found := _difference(one)) is not None]


def _difference(judged: Judged) -> Difference | None:
    situation, desired, plan = judged.situation, judged.decision.desired, judged.decision.plan
    if isinstance(plan, Unchanged):
        return None
    reason = ""
    change: Change
    if isinstance(plan, Create):
        change = "create"
    elif isinstance(plan, Patch):
        change = "clear" if plan.overrides is None else "patch"
    elif isinstance(plan, Delete):
        change = "delete"
    elif isinstance(plan, Keep):
        change, reason = ("kept" if desired.valid else "invalid"), plan.reason
    else:
        change, reason = "skipped", plan.reason
    live = situation.profile
    return Difference(
        namespace=situation.namespace,
        service=situation.service,
        split=desired.winner or "",
        profile=profile_name(
            situation.service, situation.namespace, situation.rules.cluster_domain
        ),
        change=change,
        now=live.overrides if live is not None else None,
        wanted=desired.overrides,
        reason=reason,
    )
