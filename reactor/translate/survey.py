"""The decisions about many services at once, from what one look shows: no memory, no watching.

What `smi-adaptor` learns over time is left out: last good overrides of a split that is invalid
now, repairs, a second look at orphans.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from reactor.model.names import service_of_profile
from reactor.model.service import ServiceState
from reactor.model.serviceprofile import ServiceProfile
from reactor.model.trafficsplit import TrafficSplit
from reactor.translate.decision import Decision
from reactor.translate.overrides import overrides, ranked
from reactor.translate.plan import plan
from reactor.translate.situation import Repairs, Rules, Situation

Services = Mapping[str, Mapping[str, ServiceState]]
"""By namespace and name. A namespace that is not there is not judged; in one that is, a name
that is not there is missing."""

Named = tuple[str, str]


class Judged(msgspec.Struct, frozen=True):
    """One apex service: what is known of it, what is wanted, and what leads there."""

    situation: Situation
    decision: Decision


def survey(
    splits: Iterable[TrafficSplit],
    *,
    profiles: Iterable[ServiceProfile] = (),
    services: Services,
    rules: Rules,
) -> list[Judged]:
    """Judge every service that a split names, or that has a profile of ours, in their order.

    A split whose service can't be read belongs to no service: it bears its own ``problem``.
    """
    everything = list(splits)
    named: dict[Named, list[TrafficSplit]] = {}
    for split in everything:
        if split.service is not None:
            named.setdefault((split.meta.namespace, split.service), []).append(split)
    live: dict[Named, ServiceProfile] = {}
    for profile in profiles:
        namespace = profile.meta.namespace
        service = service_of_profile(profile.meta.name, namespace, rules.cluster_domain)
        if service is not None:
            live[namespace, service] = profile
    unreadable = {split.meta.namespace for split in everything if split.service is None}
    ours = {key for key, profile in live.items() if profile.ours}
    judged = []
    for key in sorted(named.keys() | ours):
        namespace, service = key
        situation = Situation(
            namespace=namespace,
            service=service,
            splits=tuple(ranked(named.get(key, ()))),
            services=_states(service, named.get(key, ()), services.get(namespace)),
            profile=live.get(key),
            good={},
            asked=None,
            evidence="none" if key in named else "proved",
            unreadable=namespace in unreadable,
            repairs=Repairs(),
            rules=rules,
        )
        desired = overrides(situation)
        judged.append(Judged(situation, Decision(desired, plan(situation, desired))))
    return judged


def _states(
    service: str, splits: Iterable[TrafficSplit], known: Mapping[str, ServiceState] | None
) -> dict[str, ServiceState]:
    if known is None:
        return {}
    names = {service, *(backend.service for split in splits for backend in split.backends)}
    return {name: known.get(name, "missing") for name in sorted(names)}
