"""Splits, what is applied of them, and the traffic of their leaves become rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from reactor.model import quantity
from reactor.model.names import authority, profile_name
from reactor.model.trafficsplit import TrafficSplit
from reactor.stat.figures import Figures, Leaf
from reactor.stat.query import Asked
from reactor.translate.decision import Create, Patch, Skip
from reactor.translate.survey import Judged

State = Literal["in-sync", "out-of-sync", "invalid", "shadowed", "empty", "skipped"]
Split = tuple[str, str]


class Row(msgspec.Struct, frozen=True):
    """One leaf of a split, or the split itself when it has none that could be read.

    ``weight`` is the split's, ``applied`` the live profile's. ``reason`` says why the state is
    not in-sync, and is empty when it is.
    """

    namespace: str
    name: str
    apex: str | None
    leaf: str | None
    weight: str | None
    applied: str | None
    state: State
    reason: str
    figures: Figures | None


def asked(splits: Iterable[TrafficSplit]) -> list[Asked]:
    """What to ask Prometheus for; splits without leaves have no traffic."""
    return [
        Asked(
            split.meta.namespace,
            split.meta.name,
            tuple(dict.fromkeys([split.service, *(one.service for one in split.backends)])),
        )
        for split in splits
        if split.service is not None and split.backends
    ]


def rows(
    splits: Iterable[TrafficSplit],
    judged: Iterable[Judged],
    traffic: Mapping[Split, Mapping[Leaf, Figures]],
) -> list[Row]:
    """By namespace and name of the split, its leaves in their order."""
    services = {(one.situation.namespace, one.situation.service): one for one in judged}
    found = []
    for split in sorted(splits, key=lambda split: (split.meta.namespace, split.meta.name)):
        namespace, name = split.meta.namespace, split.meta.name
        one = None if split.service is None else services[namespace, split.service]
        state, reason = _state(split, one)
        leaves = _weights(split)
        figures = traffic.get((namespace, name), {})
        found += [
            Row(
                namespace=namespace,
                name=name,
                apex=split.service,
                leaf=leaf,
                weight=weight,
                applied=_applied(one, leaf),
                state=state,
                reason=reason,
                figures=figures.get((namespace, leaf)),
            )
            for leaf, weight in leaves.items()
        ] or [Row(namespace, name, split.service, None, None, None, state, reason, None)]
    return found


def _weights(split: TrafficSplit) -> dict[str, str]:
    shares: dict[str, list[quantity.Quantity]] = {}
    for backend in split.backends:
        shares.setdefault(backend.service, []).append(backend.weight)
    return {leaf: quantity.total(share).text for leaf, share in shares.items()}


def _applied(judged: Judged | None, leaf: str) -> str | None:
    if judged is None or judged.situation.profile is None:
        return None
    situation = judged.situation
    named = authority(leaf, situation.namespace, situation.rules.cluster_domain)
    overrides = judged.situation.profile.overrides or ()
    return next((one.weight for one in overrides if one.authority == named), None)


def _state(split: TrafficSplit, judged: Judged | None) -> tuple[State, str]:
    if split.problem is not None or judged is None:
        problem = split.problem
        return "invalid", "" if problem is None else f"{problem.reason}: {problem.message}"
    desired, plan = judged.decision.desired, judged.decision.plan
    if not split.backends:
        return "empty", _finding(judged, split, "NoBackends")
    if desired.winner != split.meta.name:
        return "shadowed", _finding(judged, split, "ShadowedBy")
    situation = judged.situation
    name = profile_name(situation.service, situation.namespace, situation.rules.cluster_domain)
    match plan:
        case Skip():
            return "skipped", plan.reason
        case Create():
            return "out-of-sync", f"serviceprofile/{name} is not there yet"
        case Patch():
            return "out-of-sync", f"serviceprofile/{name} has other overrides than the split's"
    return "in-sync", ""


def _finding(judged: Judged, split: TrafficSplit, reason: str) -> str:
    return next(
        finding.message
        for finding in judged.decision.desired.findings
        if finding.reason == reason and finding.split == split.meta.name
    )
