"""Turns observations into keys: both the old and the new service of a split, and no more."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from reactor.events import Key, Observed
from reactor.handlers.memory import Memory
from reactor.handlers.ports import Profiles, Splits
from reactor.handlers.situations import key_of
from reactor.model.service import Service
from reactor.model.serviceprofile import ServiceProfile
from reactor.model.trafficsplit import TrafficSplit


class Adder(Protocol):
    def add(self, key: Key, at: float | None = None) -> None: ...


class Scheduler:
    """Subscriber of `Observed`. Reads the stores, writes the memory and the queue."""

    def __init__(
        self,
        *,
        queue: Adder,
        splits: Splits,
        profiles: Profiles,
        memory: Memory,
        cluster_domain: str,
    ) -> None:
        self._queue = queue
        self._splits = splits
        self._profiles = profiles
        self._memory = memory
        self._domain = cluster_domain
        # Whose findings the state of a leaf's Service has a say in. That of an apex has one in
        # its own, which needs no index.
        self._interested: dict[Key, dict[Key, int]] = {}

    async def observed(self, event: Observed) -> None:
        """Wake the keys that this change concerns."""
        if isinstance(event.object, TrafficSplit):
            self._split(event)
        elif isinstance(event.object, ServiceProfile):
            self._profile(event)
        else:
            self._service(event)

    def everything(self) -> set[Key]:
        """All keys that may need a decision: at the first sync, or with a new lease.

        Services of splits, services remembered from the journal, and profiles of ours
        without a split.
        """
        keys = {
            Key(split.meta.namespace, split.service)
            for split in self._splits.values()
            if split.service is not None
        }
        keys.update(self._memory.keys())
        keys.update(self._profiles_of_ours(self._profiles.values()))
        return keys

    def reconsider(self) -> None:
        """Wake all keys, also those whose writes were refused: what refused them is over."""
        for key in self.everything():
            self._memory.forgive(key)
            self._queue.add(key)

    def adopt(self, splits: Iterable[TrafficSplit]) -> None:
        """Index splits that were known before any observation (the journal's)."""
        for split in splits:
            self._index(split, 1)

    def _profiles_of_ours(self, profiles: Iterable[ServiceProfile]) -> set[Key]:
        keys = set()
        for profile in profiles:
            key = key_of(profile, self._domain)
            if key is not None and profile.ours:
                keys.add(key)
        return keys

    def _split(self, event: Observed) -> None:
        old, new = event.old, event.new
        before = after = None
        if isinstance(old, TrafficSplit):
            self._index(old, -1)
            before = old.service and Key(old.meta.namespace, old.service)
        if isinstance(new, TrafficSplit):
            self._index(new, 1)
            after = new.service and Key(new.meta.namespace, new.service)
        if before and before != after:
            self._left(before, event.proved)
            self._queue.add(before, event.received)
        if after:
            self._queue.add(after, event.received)
        if isinstance(old, TrafficSplit) and old.service is None:
            # It may have been what held back the removal of orphans in its namespace.
            self._wake_namespace(old.meta.namespace)

    def _left(self, key: Key, proved: bool) -> None:
        if not proved:
            self._memory.doubt_absence(key)
        elif not self._splits.by_service(key.namespace, key.service):
            self._memory.confirm_absence(key)

    def _wake_namespace(self, namespace: str) -> None:
        for key in self.everything():
            if key.namespace == namespace:
                self._queue.add(key)

    def _profile(self, event: Observed) -> None:
        if event.change == "echo":
            return
        profile = event.object
        assert isinstance(profile, ServiceProfile)
        key = key_of(profile, self._domain)
        if key is None:
            return
        asked = self._memory.asked(key)
        concerned = (
            asked is not None
            or profile.ours
            or bool(self._splits.by_service(key.namespace, key.service))
        )
        if concerned:
            stands = isinstance(event.new, ServiceProfile) and (
                asked is not None and event.new.overrides == asked.overrides
            )
            # A write of ours that comes back before its answer stands; one under our name that
            # does not is a second adaptor's.
            if not stands:
                self._memory.meddled(key, event.actor)
            self._queue.add(key, event.received)

    def _service(self, event: Observed) -> None:
        old, new = event.old, event.new
        if isinstance(old, Service) and isinstance(new, Service) and old.headless == new.headless:
            return
        meta = event.object.meta
        itself = Key(meta.namespace, meta.name)
        if self._splits.by_service(*itself):
            self._queue.add(itself)
        for key in self._interested.get(itself, ()):
            self._queue.add(key)

    def _index(self, split: TrafficSplit, step: int) -> None:
        namespace = split.meta.namespace
        if split.service is None:
            self._memory.unreadable(namespace, step)
            return
        apex = Key(namespace, split.service)
        for name in {backend.service for backend in split.backends} - {split.service}:
            service = Key(namespace, name)
            keys = self._interested.setdefault(service, {})
            count = keys.get(apex, 0) + step
            if count > 0:
                keys[apex] = count
            else:
                keys.pop(apex, None)
                if not keys:
                    del self._interested[service]
