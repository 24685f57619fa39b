"""Every split as it stands now: what it asks for, what is applied, and how the last sync ended."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from typing import Protocol

import msgspec

from reactor.events import Key, Outcome, Synced
from reactor.handlers.ports import Splits
from reactor.model.trafficsplit import TrafficSplit
from reactor.translate import decide
from reactor.translate.situation import Situation
from reactor.translate.state import State, applied, state, weights
from reactor.translate.survey import Judged


class Ending(msgspec.Struct, frozen=True, gc=False):
    """How a reconciliation ended, when (microseconds UTC), and what it said.

    ``since`` is when endings came to be like this one: in sync, or not, by the same ``winner``.
    ``seconds`` from the change until it was in effect, None when nothing was written.
    """

    outcome: Outcome
    reconcile: str
    at: int
    since: int
    seconds: float | None
    message: str
    winner: str | None = None


class Leaf(msgspec.Struct, frozen=True):
    """A backend's service, the weight that the split wants, and the live profile's."""

    service: str
    desired: str
    applied: str | None


class SplitState(msgspec.Struct, frozen=True):
    """One split. ``since`` is when its service came to be in sync with ``winner``, the split that
    decides about it, or ceased to be, as far as the log of this adaptor tells.
    """

    namespace: str
    name: str
    service: str | None
    state: State
    reason: str
    since: int | None
    winner: str | None
    leaves: tuple[Leaf, ...]
    findings: tuple[str, ...]
    last: Ending | None


class Situations(Protocol):
    """Gathers what a decision depends on."""

    def of(self, key: Key, now: float) -> Situation: ...


class Overview:
    """Subscriber of `Synced`, which begins with what the log tells of earlier ends.

    Asking it decides anew, and changes nothing.
    """

    def __init__(
        self,
        *,
        splits: Splits,
        situations: Situations,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._splits = splits
        self._situations = situations
        self._clock = clock
        self._last: dict[Key, Ending] = {}

    async def synced(self, event: Synced) -> None:
        """Remember how it ended, for as long as the service has a split."""
        key = event.key
        if not self._splits.by_service(key.namespace, key.service):
            self._last.pop(key, None)
            return
        before = self._last.get(key)
        winner = event.decision.desired.winner
        like = before is not None and alike(before.outcome, before.winner) == alike(
            event.outcome, winner
        )
        total = event.durations.get("total")
        self._last[key] = Ending(
            outcome=event.outcome,
            reconcile=event.reconcile,
            at=event.at,
            since=before.since if before is not None and like else event.at,
            seconds=None if total is None else round(total, 6),
            message=event.message,
            winner=winner,
        )

    def recall(self, key: Key, last: Ending) -> None:
        """What the log tells, while splits are synced already."""
        now = self._last.get(key)
        if now is None:
            if self._splits.by_service(key.namespace, key.service):
                self._last[key] = last
        elif alike(now.outcome, now.winner) == alike(last.outcome, last.winner):
            since = min(now.since, last.since)
            self._last[key] = msgspec.structs.replace(now, since=since)

    def page(
        self, *, namespace: str | None, wanted: State | None, after: tuple[str, str], limit: int
    ) -> tuple[list[SplitState], tuple[str, str] | None]:
        """The next splits by namespace and name, and where to go on (None: at the end).

        A page that looks for a rare state may end early: it judges at most so many splits.
        """
        names = heapq.nsmallest(
            _LOOKED_AT,
            (
                (split.meta.namespace, split.meta.name)
                for split in self._splits.values()
                if (namespace is None or split.meta.namespace == namespace)
                and (split.meta.namespace, split.meta.name) > after
            ),
        )
        found: list[SplitState] = []
        for number, name in enumerate(names):
            split = self._splits.get(*name)
            if split is None:
                continue
            one = self.of(split)
            if wanted is None or one.state == wanted:
                found.append(one)
            if len(found) == limit:
                return found, name if number + 1 < len(names) else None
        return found, names[-1] if len(names) == _LOOKED_AT else None

    def of(self, split: TrafficSplit) -> SplitState:
        """One split."""
        meta = split.meta
        key = None if split.service is None else Key(meta.namespace, split.service)
        judged: Judged | None = None
        if key is not None:
            situation = self._situations.of(key, self._clock())
            judged = Judged(situation, decide(situation))
        stands, reason = state(split, judged)
        last = None if key is None else self._last.get(key)
        desired = None if judged is None else judged.decision.desired
        return SplitState(
            namespace=meta.namespace,
            name=meta.name,
            service=split.service,
            state=stands,
            reason=reason,
            since=None if last is None else last.since,
            winner=None if desired is None else desired.winner,
            leaves=tuple(
                Leaf(leaf, weight, applied(judged, leaf)) for leaf, weight in weights(split).items()
            ),
            findings=tuple(
                f"{finding.reason}: {finding.message}"
                for finding in (() if desired is None else desired.findings)
                if finding.split == meta.name
            ),
            last=last,
        )


_FOLLOWED = frozenset({"created", "patched", "unchanged"})
"""Outcomes after which a profile is as its split wants it."""


def alike(outcome: str, winner: str | None) -> tuple[bool, str | None]:
    """What ends of a service have in common while nothing changes between in sync and not."""
    return outcome in _FOLLOWED, winner


_LOOKED_AT = 500
"""Splits that one page judges at most: about 10 ms of the event loop."""
