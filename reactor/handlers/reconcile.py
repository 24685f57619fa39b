"""Brings the profile of one apex service to what its splits ask for.

Level-based: it ignores what woke it, decides on what the stores hold now, and a write is only
sent when the log holds the decision. After controller-runtime's Reconciler, a call takes a key
and returns when to look again.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from typing import Protocol

import msgspec

from reactor.errors import Conflict, Retryable, Terminal
from reactor.events import Contended, Key, Outcome, Synced, Translated
from reactor.handlers.memory import FREE_REPAIRS, Memory
from reactor.handlers.ports import Profiles, Queue, Writer
from reactor.handlers.situations import Situations
from reactor.logs import reconciling
from reactor.model.serviceprofile import Override, ServiceProfile
from reactor.translate import decide
from reactor.translate.decision import (
    Create,
    Decision,
    Delete,
    Keep,
    Patch,
    Plan,
    Skip,
    Unchanged,
    fingerprint,
)
from reactor.translate.recorded import asked_after, good_after
from reactor.translate.situation import Situation

SLOW_RETRY = (60.0, 300.0)
"""Seconds between tries of a write that was refused: a role may be mended without any event."""

_END = "the process ended before an answer came: the next start looks what became of it"
_SOON = 4
"""Tries after which a kind that nothing serves counts as refused."""


class Publisher(Protocol):
    async def publish(self, event: object) -> None: ...


class _Result(msgspec.Struct, frozen=True):
    """How one write ended. ``again``: seconds to wait, None: a back-off's."""

    outcome: Outcome
    status: int = 0
    resource_version: str = ""
    message: str = ""
    again: float | None = None


def _wish(plan: Plan) -> tuple[Override, ...] | None:
    return plan.overrides if isinstance(plan, Create | Patch) else None


class Reconciler:
    """One call at a time per key (the work queue sees to that); any number of keys at once."""

    def __init__(
        self,
        *,
        situations: Situations,
        memory: Memory,
        profiles: Profiles,
        writer: Writer,
        queue: Queue,
        bus: Publisher,
        may_write: Callable[[], bool],
        doubt: Callable[[Key], None],
        name: Callable[[], str],
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], int] = lambda: time.time_ns() // 1000,
        random_: Callable[[], float] = random.random,
    ) -> None:
        self._situations = situations
        self._memory = memory
        self._profiles = profiles
        self._writer = writer
        self._queue = queue
        self._bus = bus
        self._may_write = may_write
        self._doubt = doubt
        self._name = name
        self._clock = clock
        self._wall = wall
        self._random = random_

    async def reconcile(self, key: Key, since: float) -> None:
        """Decide and act once; re-adds the key itself when it has to be looked at again."""
        reconcile = self._name()
        with reconciling(reconcile):
            await self._reconcile(key, since, reconcile)

    async def _reconcile(self, key: Key, since: float, reconcile: str) -> None:
        started = self._clock()
        if self._memory.state_doubted(key) and not await self._look(key):
            return
        situation = self._situations.of(key, self._clock())
        decision = decide(situation)
        plan = decision.plan
        if isinstance(plan, Create | Patch | Delete):
            wait = self._memory.held_back(key, _wish(plan), self._clock())
            if wait > 0:
                self._queue.add_after(key, wait)
            else:
                await self._write(key, reconcile, since, started, situation, decision)
        else:
            await self._note(key, reconcile, since, started, situation, decision)

    async def _look(self, key: Key) -> bool:
        """Ask the cluster for a profile whose state we may not know; False: try again later."""
        name = self._situations.profile_name(key)
        held = self._profiles.get(key.namespace, name)
        try:
            live = await self._writer.get(key.namespace, name)
        except (Retryable, Terminal) as error:
            self._try_again(key, error.after if isinstance(error, Retryable) else None)
            return False
        if live is not None:
            self._profiles.put(live)
        elif held is not None:
            self._profiles.remove(key.namespace, name, held.meta.uid)
        self._memory.state_known(key)
        return True

    async def _note(
        self,
        key: Key,
        reconcile: str,
        since: float,
        started: float,
        situation: Situation,
        decision: Decision,
    ) -> None:
        """A decision that writes nothing: recorded when it is not the last one again."""
        plan = decision.plan
        mark = fingerprint(situation, decision)
        last = self._memory.fingerprint(key)
        known = last == mark or (last is None and _nothing(situation, plan))
        self._remember(key, situation, decision, mark)
        self._queue.forget(key)
        outcome: Outcome = "unchanged"
        message = ""
        if isinstance(plan, Skip):
            outcome, message = "skipped", plan.reason
        elif isinstance(plan, Keep):
            outcome = "invalid" if not decision.desired.valid else "skipped"
            message = plan.reason
            if plan.after is not None:
                self._come_back(key, situation, plan.after)
        elif not decision.desired.valid:
            outcome = "invalid"
        if not known:
            await self._bus.publish(
                Translated(key, reconcile, self._wall(), situation, decision, 1, mark)
            )
            await self._bus.publish(
                Synced(
                    key,
                    reconcile,
                    self._wall(),
                    outcome,
                    decision,
                    1,
                    0,
                    situation.profile.meta.resource_version if situation.profile else "",
                    {"queued": started - since, "decided": self._clock() - started},
                    message,
                )
            )
        if not (situation.splits or isinstance(plan, Keep) or self._leftover(key)):
            self._memory.forget(key)

    def _leftover(self, key: Key) -> bool:
        profile = self._profiles.get(key.namespace, self._situations.profile_name(key))
        return profile is not None and profile.ours

    def _come_back(self, key: Key, situation: Situation, after: float) -> None:
        if situation.evidence == "listed" and not situation.repairs.wait:
            # One list alone shows no split: a second one has to agree first.
            self._doubt(key)
        else:
            self._queue.add_after(key, after)

    def _remember(self, key: Key, situation: Situation, decision: Decision, mark: str) -> None:
        self._memory.remember(
            key, asked_after(situation, decision), good_after(situation, decision), mark
        )
        if isinstance(decision.plan, Unchanged):
            self._memory.succeeded(key, decision.desired.overrides)

    async def _write(
        self,
        key: Key,
        reconcile: str,
        since: float,
        started: float,
        situation: Situation,
        decision: Decision,
    ) -> None:
        plan = decision.plan
        wish = _wish(plan)
        attempt = self._queue.failures(key) + 1
        # What stood as wanted and does so no more was undone by someone: that is a repair.
        repair = wish is not None and wish == self._memory.applied(key)
        # An echo that overtakes its answer wakes the key: finding it settled is no news.
        mark = fingerprint(situation, Decision(decision.desired, Unchanged()))
        decided = self._clock()
        try:
            await self._bus.publish(
                Translated(key, reconcile, self._wall(), situation, decision, attempt, mark)
            )
            self._remember(key, situation, decision, "")
            committed = self._clock()
            result = await self._send(key, plan)
        except BaseException as error:
            # A run that ends in good order leaves nothing open for the next one to explain.
            await self._bus.publish(
                Synced(
                    key,
                    reconcile,
                    self._wall(),
                    "interrupted",
                    decision,
                    attempt,
                    0,
                    "",
                    {},
                    _END if isinstance(error, asyncio.CancelledError) else repr(error),
                )
            )
            raise
        written = self._clock()
        durations = {
            "queued": started - since,
            "decided": decided - started,
            "committed": committed - decided,
            "written": written - committed,
        }
        if result.outcome in ("created", "patched", "deleted"):
            durations["total"] = written - since
            self._memory.succeeded(key, wish)
            self._memory.mark(key, mark)
            self._queue.forget(key)
        await self._bus.publish(
            Synced(
                key,
                reconcile,
                self._wall(),
                result.outcome,
                decision,
                attempt,
                result.status,
                result.resource_version,
                durations,
                result.message,
            )
        )
        if repair and result.outcome in ("created", "patched"):
            await self._count_repair(key, decision)
        if wish is None and result.outcome in ("deleted", "patched"):
            if situation.splits:
                self._memory.cleaned_up(key)
            else:
                self._memory.forget(key)
        self._schedule(key, wish, result)

    async def _count_repair(self, key: Key, decision: Decision) -> None:
        repairs = self._memory.repaired(key, self._clock())
        if repairs.count >= FREE_REPAIRS:
            await self._bus.publish(
                Contended(
                    key,
                    decision.desired.winner or "",
                    repairs.manager,
                    repairs.count,
                    repairs.wait,
                )
            )

    def _schedule(self, key: Key, wish: tuple[Override, ...] | None, result: _Result) -> None:
        if result.outcome == "conflict":
            self._memory.doubt_state(key)
            if not self._queue.failures(key):
                self._queue.retry_in(key, 0.0)
            else:  # a server that refuses what it just told us must not be hammered
                self._memory.failed(key, wish, self._clock() + self._queue.retry(key))
        elif result.outcome == "failed":
            delay = self._try_again(key, result.again)
            self._memory.failed(key, wish, self._clock() + delay)

    def _try_again(self, key: Key, after: float | None) -> float:
        """Come back after what the server asked for, or after a back-off; returns the delay."""
        if not after:
            return self._queue.retry(key)
        delay = min(after, SLOW_RETRY[1]) * (1.0 + self._random() / 10)
        self._queue.retry_in(key, delay)
        return delay

    async def _send(self, key: Key, plan: Plan) -> _Result:
        """One write, sent once; its answer is in the store before the key is released."""
        if not self._may_write():
            return _Result("interrupted", message="the lease was lost before the write was sent")
        try:
            if isinstance(plan, Create):
                return self._took(
                    "created",
                    201,
                    await self._writer.create(key.namespace, plan.name, plan.overrides),
                )
            if isinstance(plan, Patch):
                live = await self._writer.patch(
                    key.namespace, plan.name, plan.overrides, plan.resource_version
                )
                return self._took("patched", 200, live)
            assert isinstance(plan, Delete)
            gone = await self._writer.delete(
                key.namespace, plan.name, plan.uid, plan.resource_version
            )
            if gone:
                self._profiles.remove(key.namespace, plan.name, plan.uid)
            return _Result("deleted", 200, message="" if gone else "a finalizer still holds it")
        except Conflict as error:
            return _Result("conflict", error.status, message=str(error))
        except Retryable as error:
            if error.sent:
                self._memory.doubt_state(key)
            return _Result("failed", error.status or 0, message=str(error), again=error.after)
        except Terminal as error:
            return self._refused(key, error)

    def _took(self, outcome: Outcome, status: int, live: ServiceProfile) -> _Result:
        self._profiles.put(live)
        return _Result(outcome, status, live.meta.resource_version)

    def _refused(self, key: Key, error: Terminal) -> _Result:
        if _namespace_gone(key, error):
            return _Result("skipped", error.status, message=str(error))
        again = None
        # Nothing serves the kind: for the moment of an upgrade perhaps, or nothing for long.
        if error.status != 404 or self._queue.failures(key) > _SOON:
            low, high = SLOW_RETRY
            again = low + (high - low) * self._random()
        return _Result("failed", error.status, message=str(error), again=again)


def _nothing(situation: Situation, plan: Plan) -> bool:
    """Whether nothing is asked, nothing was, and nothing is to be done: no news to anybody."""
    return isinstance(plan, Unchanged) and not situation.splits and situation.asked is None


def _namespace_gone(key: Key, error: Terminal) -> bool:
    """Whether a create was refused because its namespace is terminating or gone."""
    if error.status == 403:
        return "NamespaceTerminating" in error.causes
    return error.status == 404 and f'namespaces "{key.namespace}" not found' in str(error)
