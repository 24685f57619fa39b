"""Writes what passes on the bus into the audit log, each thing as exactly one row."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from reactor.audit.entry import Entry
from reactor.events import Key, Observed, Synced, Translated
from reactor.handlers.memory import Memory
from reactor.handlers.ports import Journal, Splits
from reactor.handlers.situations import key_of
from reactor.model.actor import actor
from reactor.model.meta import Manager
from reactor.model.serviceprofile import ServiceProfile
from reactor.model.trafficsplit import Problem, TrafficSplit
from reactor.translate.decision import Create, Delete, Patch
from reactor.translate.recorded import documents_of, encode


class ObservedDetail(msgspec.Struct, frozen=True, omit_defaults=True):
    """``detail`` of an `observed` row; the object itself is the row's document.

    ``problem`` is why a split can't be honoured: one that names no service has no decision to
    bear its finding. ``gone`` tells the echo of a deletion from that of a write.
    """

    object: Literal["trafficsplits", "serviceprofiles"]
    name: str
    type: Literal["added", "modified", "deleted", "echo"]
    uid: str
    api_version: str = ""
    managers: tuple[Manager, ...] = ()
    proved: bool = True
    problem: Problem | None = None
    gone: bool = False


class SyncedDetail(msgspec.Struct, frozen=True, omit_defaults=True):
    """``detail`` of a `synced` row: status 0 when no answer came; durations in seconds."""

    plan: str
    attempt: int
    status: int = 0
    durations: dict[str, float] = {}
    message: str = ""


_encode = msgspec.json.Encoder().encode


class Recorder:
    """Subscriber of `Observed`, `Translated` and `Synced`.

    Only a decision that writes is waited for: its row has to be durable before the write.
    """

    def __init__(
        self, *, journal: Journal, splits: Splits, memory: Memory, cluster_domain: str
    ) -> None:
        self._journal = journal
        self._splits = splits
        self._memory = memory
        self._domain = cluster_domain
        self._followed: set[str] = set()
        # Profiles that we make: what the watch then brings is their one observation.
        self._awaited: set[Key] = set()

    def follow(self, profiles: Iterable[ServiceProfile]) -> None:
        """Go on with the profiles that the log holds already."""
        self._followed.update(profile.meta.uid for profile in profiles)

    async def observed(self, event: Observed) -> None:
        """Splits always; profiles that have or had a split; never Services."""
        found = event.object
        if isinstance(found, TrafficSplit):
            self._journal.append(self._row(event, found, "trafficsplits", found.service))
        elif isinstance(found, ServiceProfile):
            key = key_of(found, self._domain)
            if key is None:
                return
            uid = found.meta.uid
            self._awaited.discard(key)
            if self._concerned(key, uid):
                self._journal.append(self._row(event, found, "serviceprofiles", key.service))
                if event.new is None:
                    self._followed.discard(uid)
                else:
                    self._followed.add(uid)

    def _concerned(self, key: Key, uid: str) -> bool:
        return (
            uid in self._followed
            or self._memory.asked(key) is not None
            or bool(self._splits.by_service(key.namespace, key.service))
        )

    def _expected(self, key: Key, profile: ServiceProfile) -> bool:
        return profile.meta.uid in self._followed or key in self._awaited

    def _first_sight(self, event: Translated, profile: ServiceProfile) -> None:
        """A profile that was there before its first split is observed when it gets one."""
        self._followed.add(profile.meta.uid)
        seen = Observed(
            resource="serviceprofiles",
            change="added",
            old=None,
            new=profile,
            actor=actor(None, profile),
            at=event.at,
            received=0.0,
        )
        self._journal.append(self._row(seen, profile, "serviceprofiles", event.key.service))

    def _row(
        self,
        event: Observed,
        found: TrafficSplit | ServiceProfile,
        kind: Literal["trafficsplits", "serviceprofiles"],
        service: str | None,
    ) -> Entry:
        meta = found.meta
        split = isinstance(found, TrafficSplit)
        detail = ObservedDetail(
            object=kind,
            name=meta.name,
            type=event.change,
            uid=meta.uid,
            api_version=found.api_version if isinstance(found, TrafficSplit) else "",
            managers=meta.managers,
            proved=event.proved,
            problem=found.problem if isinstance(found, TrafficSplit) else None,
            gone=event.change == "echo" and event.new is None,
        )
        return Entry(
            kind="observed",
            at=event.at,
            detail=_encode(detail),
            namespace=meta.namespace,
            split=meta.name if split else None,
            service=service,
            actor=event.actor,
            resource_version=meta.resource_version,
            documents=(found.document,),
        )

    async def translated(self, event: Translated) -> None:
        """Returns when a decision that writes, and every row before it, is durable."""
        situation, decision = event.situation, event.decision
        profile = situation.profile
        if profile is not None and not self._expected(event.key, profile):
            self._first_sight(event, profile)
        self._journal.append(
            Entry(
                kind="translated",
                at=event.at,
                detail=encode(situation, decision, event.attempt, event.mark),
                namespace=event.key.namespace,
                split=decision.desired.winner,
                service=event.key.service,
                reconcile=event.reconcile,
                resource_version=profile.meta.resource_version if profile else None,
                documents=documents_of(situation),
            )
        )
        if isinstance(decision.plan, Create):
            self._awaited.add(event.key)
        if isinstance(decision.plan, Create | Patch | Delete):
            await self._journal.commit()

    async def synced(self, event: Synced) -> None:
        """The outcome; nobody waits for it."""
        detail = SyncedDetail(
            plan=type(event.decision.plan).__name__.lower(),
            attempt=event.attempt,
            status=event.status,
            durations={stage: round(value, 6) for stage, value in event.durations.items()},
            message=event.message,
        )
        self._journal.append(
            Entry(
                kind="synced",
                at=event.at,
                detail=_encode(detail),
                namespace=event.key.namespace,
                split=event.decision.desired.winner,
                service=event.key.service,
                outcome=event.outcome,
                reconcile=event.reconcile,
                resource_version=event.resource_version or None,
            )
        )
