"""The whole argument of a decision, as one value: what a replay feeds to today's code."""

from __future__ import annotations

from typing import Literal

import msgspec

from reactor.model.service import ServiceState
from reactor.model.serviceprofile import Override, ServiceProfile
from reactor.model.trafficsplit import TrafficSplit

Orphans = Literal["delete", "clear", "keep"]
Evidence = Literal["none", "listed", "proved"]
"""How sure we are that a service without a split had one that went.

``proved``: the watch or the journal saw the split go (or be renamed), or a second consistent
list, 60 s after the first, agrees. ``listed``: one list alone shows none (wait for the second).
``none``: nothing is known of this service.
"""


class Rules(msgspec.Struct, frozen=True):
    """The settings that a decision depends on."""

    cluster_domain: str = "cluster.local"
    orphans: Orphans = "delete"


class Asked(msgspec.Struct, frozen=True, gc=False):
    """What the last valid decision for this service asked for, and for which split's uid."""

    uid: str
    split: str
    overrides: tuple[Override, ...]


class Repairs(msgspec.Struct, frozen=True):
    """Repairs of this profile so far: how many in a row, against whom, seconds still to wait."""

    count: int = 0
    manager: str = ""
    wait: float = 0.0


class Situation(msgspec.Struct, frozen=True):
    """Everything that `overrides` and `plan` may look at.

    ``splits``: every split that names the service (a split whose service can't be read counts
    under its last known one). ``services``: state of the apex and of each backend that any of
    the splits names. ``good``: last good overrides by split uid. ``asked``: what the service's
    last valid decision wanted; its uid not among ``splits`` means that split is gone or renamed.
    ``unreadable``: the namespace holds a split whose service was never readable.
    """

    namespace: str
    service: str
    splits: tuple[TrafficSplit, ...]
    services: dict[str, ServiceState]
    profile: ServiceProfile | None
    good: dict[str, tuple[Override, ...]]
    asked: Asked | None
    evidence: Evidence
    unreadable: bool
    repairs: Repairs
    rules: Rules
