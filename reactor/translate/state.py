"""How a split stands: what is applied of it, and why not all of it is."""

from __future__ import annotations

from typing import Literal

from reactor.model import quantity
from reactor.model.names import authority, profile_name
from reactor.model.trafficsplit import TrafficSplit
from reactor.translate.decision import Create, Patch, Skip
from reactor.translate.survey import Judged

State = Literal["in-sync", "out-of-sync", "invalid", "shadowed", "empty", "skipped"]


def weights(split: TrafficSplit) -> dict[str, str]:
    """By leaf, in the split's order; a leaf that it names twice has the sum."""
    shares: dict[str, list[quantity.Quantity]] = {}
    for backend in split.backends:
        shares.setdefault(backend.service, []).append(backend.weight)
    return {leaf: quantity.total(share).text for leaf, share in shares.items()}


def applied(judged: Judged | None, leaf: str) -> str | None:
    """The leaf's weight in the live profile, None where it has none."""
    if judged is None or judged.situation.profile is None:
        return None
    situation = judged.situation
    named = authority(leaf, situation.namespace, situation.rules.cluster_domain)
    overrides = judged.situation.profile.overrides or ()
    return next((one.weight for one in overrides if one.authority == named), None)


def state(split: TrafficSplit, judged: Judged | None) -> tuple[State, str]:
    """Of a split whose service was judged (None: it names none); why, unless it is in sync."""
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
