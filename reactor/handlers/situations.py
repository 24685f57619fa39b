"""Gathers the whole argument of a decision from the stores and the memory."""

from __future__ import annotations

from reactor.events import Key
from reactor.handlers.memory import Memory
from reactor.handlers.ports import Profiles, Services, Splits
from reactor.model.names import profile_name, service_of_profile
from reactor.model.service import ServiceState
from reactor.model.serviceprofile import ServiceProfile
from reactor.model.trafficsplit import TrafficSplit
from reactor.translate.situation import Evidence, Rules, Situation


def key_of(profile: ServiceProfile, domain: str) -> Key | None:
    """The service whose profile this is; None for a name that isn't of this cluster domain."""
    meta = profile.meta
    service = service_of_profile(meta.name, meta.namespace, domain)
    return None if service is None else Key(meta.namespace, service)


class Situations:
    """Reads; nothing here writes or waits."""

    def __init__(
        self,
        *,
        splits: Splits,
        profiles: Profiles,
        services: Services,
        memory: Memory,
        rules: Rules,
    ) -> None:
        self._splits = splits
        self._profiles = profiles
        self._services = services
        self._memory = memory
        self._rules = rules

    def of(self, key: Key, now: float) -> Situation:
        """The situation of a service as known at this moment (``now`` is monotonic)."""
        memory = self._memory
        splits = tuple(
            sorted(
                self._splits.by_service(key.namespace, key.service),
                key=lambda split: (split.meta.created, split.meta.name),
            )
        )
        profile = self._profiles.get(key.namespace, self.profile_name(key))
        asked = memory.asked(key)
        if splits:
            memory.present(key)
        return Situation(
            namespace=key.namespace,
            service=key.service,
            splits=splits,
            services=self._states(key, splits),
            profile=profile,
            good=memory.good(key),
            asked=asked,
            evidence=self._evidence(key, splits, profile, asked is not None),
            unreadable=memory.holds_unreadable(key.namespace),
            repairs=memory.repairs(key, now),
            rules=self._rules,
        )

    def profile_name(self, key: Key) -> str:
        """The name of the ServiceProfile of this service."""
        return profile_name(key.service, key.namespace, self._rules.cluster_domain)

    def _states(self, key: Key, splits: tuple[TrafficSplit, ...]) -> dict[str, ServiceState]:
        if not splits:
            return {}
        names = {key.service}
        for split in splits:
            names.update(backend.service for backend in split.backends)
        return {name: self._state(key.namespace, name) for name in sorted(names)}

    def _state(self, namespace: str, name: str) -> ServiceState:
        service = self._services.get(namespace, name)
        if service is None:
            return "missing"
        return "headless" if service.headless else "present"

    def _evidence(
        self,
        key: Key,
        splits: tuple[TrafficSplit, ...],
        profile: ServiceProfile | None,
        asked: bool,
    ) -> Evidence:
        if self._memory.absence_doubted(key):
            return "listed"
        if splits:
            return "none"
        if asked or self._memory.absence_confirmed(key):
            return "proved"
        return "listed" if profile is not None and profile.ours else "none"
