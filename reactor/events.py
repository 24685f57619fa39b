"""The messages on the bus."""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec

from reactor.model.service import Service
from reactor.model.serviceprofile import ServiceProfile
from reactor.model.trafficsplit import TrafficSplit
from reactor.translate.decision import Decision
from reactor.translate.situation import Situation

Change = Literal["added", "modified", "deleted", "echo"]
Outcome = Literal[
    "created",
    "patched",
    "deleted",
    "unchanged",
    "skipped",
    "invalid",
    "conflict",
    "failed",
    "interrupted",
]
Resource = Literal["trafficsplits", "serviceprofiles", "services"]
KubeObject = TrafficSplit | ServiceProfile | Service


class Key(NamedTuple):
    """What is reconciled: an apex Service."""

    namespace: str
    service: str


class Observed(msgspec.Struct, frozen=True):
    """A watch or a relist brought a change of one object.

    ``old`` is None when added, ``new`` None when deleted. ``actor`` is a field manager or
    ``unknown``. ``at`` is microseconds UTC; ``proved`` is False when a deletion is concluded
    from a list after the CRD was away. ``received`` is `time.monotonic()` of arrival.
    """

    resource: Resource
    change: Change
    old: KubeObject | None
    new: KubeObject | None
    actor: str
    at: int
    received: float
    proved: bool = True

    @property
    def object(self) -> KubeObject:
        """The object itself: new, or the last state of a deleted one."""
        found = self.new if self.new is not None else self.old
        assert found is not None, "an observation has an object"
        return found


class Translated(msgspec.Struct, frozen=True):
    """A decision was made; whoever publishes one that writes waits until it is durable.

    ``mark`` is its fingerprint once it has taken effect.
    """

    key: Key
    reconcile: str
    at: int
    situation: Situation
    decision: Decision
    attempt: int
    mark: str


class Synced(msgspec.Struct, frozen=True):
    """A decision ended.

    ``status`` is the HTTP status of the write (0: none was sent, or no answer came);
    ``durations`` in seconds by stage: queued, decided, committed, written, total (from the
    watch event that woke the key until the profile was written; absent when none did).
    """

    key: Key
    reconcile: str
    at: int
    outcome: Outcome
    decision: Decision
    attempt: int
    status: int
    resource_version: str
    durations: dict[str, float]
    message: str = ""


class Contended(msgspec.Struct, frozen=True):
    """Someone keeps changing the overrides of a profile: who, how often, next repair."""

    key: Key
    split: str
    manager: str
    count: int
    wait: float
