"""The splits of a service become the overrides that its profile should have."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from sys import intern

from reactor.model import quantity
from reactor.model.names import authority
from reactor.model.quantity import Quantity
from reactor.model.serviceprofile import Override
from reactor.model.trafficsplit import TrafficSplit
from reactor.translate.decision import Desired, Finding
from reactor.translate.scale import HIGHEST_SUM, scale
from reactor.translate.situation import Situation

_NAMED = 5  # names that one message spells out


def overrides(situation: Situation) -> Desired:
    """Decide what the profile's dstOverrides should be; see `Desired`.

    The oldest split of the service wins (creationTimestamp, then name), invalid or not; one
    without backends counts as absent.
    """
    findings: list[Finding] = []
    standing = []
    for split in ranked(situation.splits):
        if split.problem is None and not split.backends:
            message = "spec.backends: the split has no backends, so it is as if it were not there"
            findings.append(Finding("NoBackends", split.meta.name, message))
        else:
            standing.append(split)
    if not standing:
        return Desired(None, None, None, True, False, tuple(findings))
    winner = standing[0]
    findings += _problem(winner)
    for split in standing[1:]:
        findings += _problem(split)
        findings.append(_shadowed(split, winner, situation.service))
    uid, name = winner.meta.uid, winner.meta.name
    if winner.problem is None:
        wanted, remarks = translate(winner, situation.rules.cluster_domain)
        findings += remarks
        findings += _services(winner, situation)
        return Desired(wanted, name, uid, True, False, tuple(findings))
    good = situation.good.get(uid)
    if good is not None:
        return Desired(good, name, uid, False, False, tuple(findings))
    asked = situation.asked
    gone = asked is not None and all(split.meta.uid != asked.uid for split in standing)
    return Desired(None, name, uid, False, not gone, tuple(findings))


def good(situation: Situation) -> dict[str, tuple[Override, ...]]:
    """Last good overrides by uid of the splits that are there, this situation's included."""
    kept: dict[str, tuple[Override, ...]] = {}
    for split in situation.splits:
        if split.problem is None and split.backends:
            kept[split.meta.uid] = translate(split, situation.rules.cluster_domain)[0]
        elif split.problem is not None and split.meta.uid in situation.good:
            kept[split.meta.uid] = situation.good[split.meta.uid]
    return kept


def ranked(splits: Iterable[TrafficSplit]) -> list[TrafficSplit]:
    """The oldest first."""
    return sorted(splits, key=lambda split: (split.meta.created or "~", split.meta.name))


def translate(split: TrafficSplit, domain: str) -> tuple[tuple[Override, ...], list[Finding]]:
    """Turn a valid split's backends into overrides, in their order, with remarks."""
    name = split.meta.name
    findings: list[Finding] = []
    services = [backend.service for backend in split.backends]
    weights = [backend.weight for backend in split.backends]
    if len(set(services)) < len(services):
        shares: dict[str, list[Quantity]] = {}
        for service, weight in zip(services, weights, strict=True):
            shares.setdefault(service, []).append(weight)
        twice = [service for service, share in shares.items() if len(share) > 1]
        message = f"spec.backends: {_listed(twice)} named more than once; weights were added up"
        findings.append(Finding("DuplicateBackend", name, message))
        services, weights = list(shares), [quantity.total(share) for share in shares.values()]
    nanos = [weight.nanos for weight in weights]
    scaled = scale(nanos)
    if scaled.millis is None:
        texts = [weight.text for weight in weights]
    else:
        texts = [quantity.from_nanos(milli * 1_000_000).text for milli in scaled.millis]
        findings += _scaling(name, scaled.factor, scaled.rounded)
    if not any(nanos):
        message = (
            "spec.backends: all weights are 0, so the proxies ignore the split and send"
            f" everything to {split.service} itself"
        )
        findings.append(Finding("AllWeightsZero", name, message))
    namespace = split.meta.namespace
    wanted = tuple(
        # The live profile, read from the cluster, bears the same texts.
        Override(intern(authority(service, namespace, domain)), intern(text))
        for service, text in zip(services, texts, strict=True)
    )
    return wanted, findings


def _scaling(split: str, factor: str | None, rounded: bool) -> Iterable[Finding]:
    if factor is not None:
        message = (
            f"spec.backends: the weights were {factor}, in proportion, because Linkerd takes"
            f" no weight finer than 1m and no sum above {HIGHEST_SUM}"
        )
        yield Finding("WeightsScaled", split, message)
    if rounded:
        message = "spec.backends: weights finer than 1m were rounded up to what Linkerd reads"
        yield Finding("WeightRounded", split, message)


def _problem(split: TrafficSplit) -> list[Finding]:
    problem = split.problem
    return [] if problem is None else [Finding(problem.reason, split.meta.name, problem.message)]


def _shadowed(split: TrafficSplit, winner: TrafficSplit, service: str) -> Finding:
    message = (
        f"spec.service: {service} is split by the older {winner.meta.name} already; this split"
        " takes over when that one goes"
    )
    return Finding("ShadowedBy", split.meta.name, message)


def _services(winner: TrafficSplit, situation: Situation) -> list[Finding]:
    states = situation.services.values()
    if "missing" not in states and "headless" not in states:
        return []
    named = dict.fromkeys([situation.service, *(backend.service for backend in winner.backends)])
    missing = [name for name in named if situation.services.get(name) == "missing"]
    headless = [name for name in named if situation.services.get(name) == "headless"]
    findings = []
    if missing:
        message = f"there is no Service {_listed(missing)} in namespace {situation.namespace}"
        findings.append(Finding("ServiceNotFound", winner.meta.name, message))
    if headless:
        message = f"Service {_listed(headless)} is headless: Linkerd splits no traffic of it"
        findings.append(Finding("HeadlessService", winner.meta.name, message))
    return findings


def _listed(names: Iterable[str]) -> str:
    every: Sequence[str] = list(names)
    text = ", ".join(every[:_NAMED])
    return text if len(every) <= _NAMED else f"{text} and {len(every) - _NAMED} more"
