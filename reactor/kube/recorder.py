"""Kubernetes Events on splits, as the Go adaptor sent them (component smi-controller).

As client-go's recorder: repeated ones count up on one Event, a split that makes too many is
filtered, and nothing here ever fails or slows a sync. What is dropped is counted.
"""

from __future__ import annotations

import asyncio
import datetime
import logging
import time
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any, Literal, NamedTuple
from urllib.parse import quote

import msgspec

from reactor.errors import Conflict, Retryable, Terminal
from reactor.kube.backoff import Backoff
from reactor.kube.connection import MERGE_PATCH
from reactor.kube.requests import Requests
from reactor.kube.spam import Bucket, SpamFilter
from reactor.model.trafficsplit import GROUP, TrafficSplit

log = logging.getLogger(__name__)

COMPONENT = "smi-controller"

_CAPACITY = 4096  # Events that wait to be sent
_REMEMBERED = 4096  # Events that can be counted up
_RATE = 50  # requests a second
_TRIES = 4
_LONGEST = 1024  # characters of a message
_TIMEOUT = 10.0
_REST = 0.1  # seconds without a profile write, after which Events may go
_PATIENCE = 5.0  # seconds that an Event gives way at most

Type = Literal["Normal", "Warning"]


class _Key(NamedTuple):
    """What makes two events one."""

    uid: str
    type: Type
    reason: str
    message: str


class _Pending(msgspec.Struct):
    """An event that waits: on what, how often since it was last sent, first and last."""

    namespace: str
    name: str
    api_version: str
    resource_version: str
    count: int
    first: float
    last: float


class _Sent(msgspec.Struct):
    """An Event that exists: its name, and the count it bears."""

    name: str
    count: int


class Recorder:
    """Takes events at once, sends them from `run`."""

    def __init__(
        self,
        *,
        connection: Requests,
        rested: Callable[[], float],
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        random: Callable[[], float] = lambda: 1.0,
        capacity: int = _CAPACITY,
    ) -> None:
        """``clock`` is monotonic, ``now`` seconds of the epoch.

        ``rested``: seconds since the last write of a profile, to which Events give way.
        """
        self._connection = connection
        self._rested = rested
        self._clock = clock
        self._now = now
        self._sleep = sleep
        self._random = random
        self._capacity = capacity
        self._filter = SpamFilter(clock=clock)
        self._bucket = Bucket(burst=_RATE, rate=_RATE, now=clock())
        self._waiting: OrderedDict[_Key, _Pending] = OrderedDict()
        self._sent: OrderedDict[_Key, _Sent] = OrderedDict()
        self._woken = asyncio.Event()
        self.dropped: Counter[str] = Counter()
        """Events not sent, by reason: spam, full, failed."""

    def __len__(self) -> int:
        """Events that wait."""
        return len(self._waiting)

    def event(self, split: TrafficSplit, type: Type, reason: str, message: str) -> None:
        """Takes one event about a split; never waits, never fails."""
        meta = split.meta
        if not self._filter.lets(meta.uid):
            self.dropped["spam"] += 1
            return
        key = _Key(meta.uid, type, reason, message[:_LONGEST])
        now = self._now()
        pending = self._waiting.get(key)
        if pending is not None:
            pending.count += 1
            pending.last = now
            return
        if len(self._waiting) >= self._capacity:
            self.dropped["full"] += 1
            return
        self._waiting[key] = _Pending(
            meta.namespace,
            meta.name,
            split.api_version or f"{GROUP}/v1alpha1",
            meta.resource_version,
            1,
            now,
            now,
        )
        self._woken.set()

    async def run(self) -> None:
        """Sends until cancelled."""
        while True:
            while not self._waiting:
                self._woken.clear()
                await self._woken.wait()
            await self._give_way()
            key, pending = self._waiting.popitem(last=False)
            await self._deliver(key, pending)

    async def _give_way(self) -> None:
        """An Event costs the API server what a profile costs it, and nobody's traffic waits."""
        oldest = next(iter(self._waiting.values())).first
        while (rested := self._rested()) < _REST and self._now() < oldest + _PATIENCE:
            await self._sleep(_REST - rested)

    async def _deliver(self, key: _Key, pending: _Pending) -> None:
        backoff = Backoff(base=1.0, cap=30.0, random=self._random)
        for _ in range(_TRIES):
            while wait := self._bucket.wait(self._clock()):
                await self._sleep(wait)
            try:
                await self._send(key, pending)
                return
            except Retryable as error:
                await self._sleep(max(error.after or 0.0, backoff.next()))
            except (Conflict, Terminal) as error:
                self._give_up(key, pending, error)
                return
            except Exception as error:  # an Event is never worth the process
                self._give_up(key, pending, error)
                return
        self.dropped["failed"] += pending.count

    def _give_up(self, key: _Key, pending: _Pending, error: Exception) -> None:
        self.dropped["failed"] += pending.count
        log.warning(
            "the event %s of trafficsplit/%s in %s isn't recorded: %s",
            key.reason,
            pending.name,
            pending.namespace,
            error,
        )

    async def _send(self, key: _Key, pending: _Pending) -> None:
        events = f"/api/v1/namespaces/{quote(pending.namespace, safe='')}/events"
        sent = self._sent.get(key)
        if sent is not None:
            count = sent.count + pending.count
            body = {"count": count, "lastTimestamp": _stamp(pending.last)}
            try:
                await self._request("PATCH", f"{events}/{sent.name}", body)
            except Conflict:
                del self._sent[key]  # the Event's hour is over: a new one then
            else:
                sent.count = count
                self._sent.move_to_end(key)
                return
        name = f"{pending.name}.{int(self._now() * 1e9):x}"
        await self._request("POST", events, _event(key, pending, name))
        self._sent[key] = _Sent(name, pending.count)
        if len(self._sent) > _REMEMBERED:
            self._sent.popitem(last=False)

    async def _request(self, method: str, path: str, body: dict[str, Any]) -> None:
        await self._connection.request(
            method,
            path,
            body=msgspec.json.encode(body),
            content_type=MERGE_PATCH if method == "PATCH" else None,
            timeout=_TIMEOUT,
            resource="events",
        )


def _event(key: _Key, pending: _Pending, name: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": pending.namespace},
        "involvedObject": {
            "apiVersion": pending.api_version,
            "kind": "TrafficSplit",
            "namespace": pending.namespace,
            "name": pending.name,
            "uid": key.uid,
            "resourceVersion": pending.resource_version,
        },
        "type": key.type,
        "reason": key.reason,
        "message": key.message,
        "source": {"component": COMPONENT},
        "reportingComponent": COMPONENT,
        "reportingInstance": "",
        "count": pending.count,
        "firstTimestamp": _stamp(pending.first),
        "lastTimestamp": _stamp(pending.last),
    }


def _stamp(seconds: float) -> str:
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
