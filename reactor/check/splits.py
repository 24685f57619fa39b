"""The splits: valid, of effect, and followed by their profiles."""

from __future__ import annotations

from collections.abc import Sequence

from reactor.check.result import Trouble, some
from reactor.model.names import profile_name
from reactor.model.trafficsplit import TrafficSplit
from reactor.translate.decision import Create, Delete, Patch
from reactor.translate.survey import Judged

_IDLE = frozenset(
    {"ShadowedBy", "NoBackends", "AllWeightsZero", "ServiceNotFound", "HeadlessService"}
)
"""Findings about valid splits by which traffic does not go where their author meant it to."""


def valid(splits: Sequence[TrafficSplit]) -> Trouble | None:
    """Whether each split can be honoured."""
    broken = [split for split in splits if split.problem is not None]
    if not broken:
        return None
    errors = [
        f"{split.meta.namespace}/{split.meta.name}: {split.problem.reason}: {split.problem.message}"
        for split in broken
        if split.problem is not None
    ]
    first = broken[0].meta
    return Trouble(
        some(errors),
        f"`kubectl -n {first.namespace} edit trafficsplit {first.name}`",
        warning=True,
    )


def effective(judged: Sequence[Judged]) -> Trouble | None:
    """Whether each split sends traffic somewhere: not shadowed, not empty, its services there."""
    found = [
        (one.situation.namespace, finding)
        for one in judged
        for finding in one.decision.desired.findings
        if finding.reason in _IDLE
    ]
    if not found:
        return None
    namespace = found[0][0]
    return Trouble(
        some([f"{where}/{one.split}: {one.reason}: {one.message}" for where, one in found]),
        f"`kubectl -n {namespace} get trafficsplits,services`",
        warning=True,
    )


def in_sync(judged: Sequence[Judged]) -> Trouble | None:
    """Whether nothing is left to write."""
    behind = []
    for one in judged:
        situation, plan = one.situation, one.decision.plan
        if not isinstance(plan, Create | Patch | Delete):
            continue
        domain = situation.rules.cluster_domain
        name = profile_name(situation.service, situation.namespace, domain)
        behind.append((situation.namespace, f"serviceprofile/{name} {_lags(plan)}"))
    if not behind:
        return None
    return Trouble(
        some([what for _, what in behind]), f"`linkerd smi diff --namespace {behind[0][0]}`"
    )


def _lags(plan: Create | Patch | Delete) -> str:
    match plan:
        case Create():
            return "is not there yet"
        case Delete():
            return "is left over: its split is gone"
        case Patch(overrides=None):
            return "has overrides of a split that is gone"
    return "has other overrides than its split asks for"
