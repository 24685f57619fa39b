"""Tells people: log lines in the guide's words, and Kubernetes Events on the split."""

from __future__ import annotations

import logging
from typing import Protocol

from reactor.events import Contended, Key, Observed, Synced, Translated
from reactor.handlers.ports import Announcer, Splits
from reactor.model.trafficsplit import Problem, TrafficSplit
from reactor.translate.decision import Create, Delete, Finding, Patch

log = logging.getLogger("reactor.sync")


class ProfileNames(Protocol):
    def profile_name(self, key: Key) -> str: ...


class Announce:
    """Subscriber of `Observed`, `Translated`, `Synced` and `Contended`.

    Never waits, never fails a sync.
    """

    def __init__(self, *, announcer: Announcer, splits: Splits, names: ProfileNames) -> None:
        self._announcer = announcer
        self._splits = splits
        self._names = names
        self._told: dict[Key, frozenset[Finding]] = {}
        self._strays: dict[tuple[str, str], Problem] = {}

    async def observed(self, event: Observed) -> None:
        """A split that names no service belongs to no decision: its finding goes out here."""
        split = event.object
        if not isinstance(split, TrafficSplit):
            return
        meta = split.meta
        problem = split.problem if event.new is not None and split.service is None else None
        if problem is None:
            self._strays.pop((meta.namespace, meta.name), None)
        elif self._strays.get((meta.namespace, meta.name)) != problem:
            self._strays[meta.namespace, meta.name] = problem
            self._warn(Key(meta.namespace, ""), Finding(problem.reason, meta.name, problem.message))

    async def translated(self, event: Translated) -> None:
        """Each finding once, for as long as it stands."""
        findings = frozenset(event.decision.desired.findings)
        known = self._told.get(event.key, frozenset())
        for finding in event.decision.desired.findings:
            if finding not in known:
                self._warn(event.key, finding)
        if findings:
            self._told[event.key] = findings
        else:
            self._told.pop(event.key, None)

    def _warn(self, key: Key, finding: Finding) -> None:
        log.warning(
            "trafficsplit/%s: %s: %s",
            finding.split,
            finding.reason,
            finding.message,
            extra={"namespace": key.namespace},
        )
        split = self._splits.get(key.namespace, finding.split)
        if split is not None:
            self._announcer.event(split, "Warning", finding.reason, finding.message)

    async def synced(self, event: Synced) -> None:
        """The guide's two lines for a sync that wrote; one line with the reason otherwise."""
        profile = self._names.profile_name(event.key)
        winner = event.decision.desired.winner
        whose = f"trafficsplit/{winner}" if winner else f"service/{event.key.service}"
        name = f"{event.key.namespace}/{winner or event.key.service}"
        match event.outcome:
            case "created":
                log.info("created serviceprofile/%s for %s", profile, whose)
                self._normal(event, "Created", f"Created Service Profile {profile}")
            case "patched":
                log.info("updated serviceprofile/%s for %s", profile, whose)
                self._normal(event, "Updated", f"Updated Service Profile {profile}")
            case "deleted":
                log.info("deleted serviceprofile/%s of %s", profile, whose)
            case "failed":
                log.error("error syncing '%s': %s", name, event.message)
            case "conflict" | "interrupted":
                log.info("will decide again on '%s': %s", name, event.message)
            case "skipped" | "invalid":
                log.info("left serviceprofile/%s as it is: %s", profile, event.message)
            case _:
                pass
        if event.outcome in ("created", "patched", "deleted", "unchanged"):
            log.info("Successfully synced '%s'", name)

    def _normal(self, event: Synced, reason: str, message: str) -> None:
        split = self._winner(event)
        if split is not None and isinstance(event.decision.plan, Create | Patch | Delete):
            self._announcer.event(split, "Normal", reason, message)

    def _winner(self, event: Synced) -> TrafficSplit | None:
        winner = event.decision.desired.winner
        return self._splits.get(event.key.namespace, winner) if winner else None

    async def contended(self, event: Contended) -> None:
        """Someone keeps undoing what we write: name them, on the split and in the log."""
        profile = self._names.profile_name(event.key)
        message = (
            f"{event.manager} keeps changing the overrides of serviceprofile/{profile}: "
            f"repaired {event.count} times, the next repair waits {event.wait:.0f} s; "
            "let only one of them manage spec.dstOverrides"
        )
        self._warn(event.key, Finding("Contended", event.split, message))
