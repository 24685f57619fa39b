"""The lease by which replicas agree on the one that decides and writes.

coordination.k8s.io/v1, as client-go's leader election keeps it, so that `kubectl get lease`
reads as usual: the holder renews every 5 s and stops writing 10 s after its last renewal; others
take over when the record has not changed for 13 s of their own clock (15 less the 2 s that they
may have been late to see it), so within 15 s and never while the old holder still writes.
"""

from __future__ import annotations

import asyncio
import datetime
import logging
import random as randomness
import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from reactor.errors import Conflict, ReactorError, Retryable, Terminal
from reactor.kube.requests import Requests

log = logging.getLogger(__name__)

_DURATION = 15  # seconds, as the record says
_TAKEOVER = 13.0
_DEADLINE = 10.0
_RENEW = 5.0
_RETRY = 1.0  # also how often those look who don't hold it
_TIMEOUT = 4.0
_REPEAT = 60.0  # seconds between two log lines about the same trouble
_FAREWELL = 1.0  # seconds to release it
_LONGEST_WAIT = 5.0  # whatever Retry-After says: the lease has to change hands in time


class _Spec(msgspec.Struct, rename="camel"):
    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    acquire_time: str | None = None
    renew_time: str | None = None
    lease_transitions: int | None = None


class _Lease(msgspec.Struct):
    metadata: dict[str, Any]
    spec: _Spec = msgspec.field(default_factory=_Spec)


class Lease:
    """One candidate. Use: `acquire`, work while `held`, stop once `lost` is set, `release`."""

    def __init__(
        self,
        *,
        connection: Requests,
        namespace: str,
        identity: str,
        name: str = "smi-adaptor",
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        random: Callable[[], float] = randomness.random,
    ) -> None:
        """``identity`` must be this process's own: the pod's name and something random."""
        self._connection = connection
        self._collection = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
        self._namespace = namespace
        self._name = name
        self._identity = identity
        self._clock = clock
        self._sleep = sleep
        self._random = random
        self._lease: _Lease | None = None
        self._renewed = float("-inf")
        self._seen: tuple[str, float] = ("", 0.0)
        self._keeper: asyncio.Task[None] | None = None
        self._trouble: str | None = None
        self._said = float("-inf")
        self.lost = asyncio.Event()
        self.holder: str | None = None

    @property
    def held(self) -> bool:
        """Whether we may write now: by the clock, so also right after a long pause."""
        return not self.lost.is_set() and self._clock() - self._renewed < _DEADLINE

    def unready(self) -> str | None:
        """Why nobody may be leading, in plain words; None while we do, or know who does."""
        if self._trouble is None or self.held or self.holder not in (None, self._identity):
            return None
        return self._trouble

    async def acquire(self) -> None:
        """Waits until the lease is ours, and keeps it so from then on."""
        said: str | None = None
        while True:
            try:
                wait = await self._try()
                self._trouble = None
                if wait is None:
                    break
                if self.holder != said:
                    said = self.holder
                    log.info("the lease %s is held by %s: standing by", self._name, said)
            except Conflict:
                wait = _RETRY
            except (Retryable, Terminal) as error:
                self._worry(f"can't take the lease {self._name}: {error}")
                wait = _RETRY * 2
                if isinstance(error, Retryable) and error.after:
                    wait = min(error.after, _LONGEST_WAIT)
            await self._sleep(wait * (0.8 + 0.2 * self._random()))
        log.info("took the lease %s as %s", self._name, self._identity)
        self.lost.clear()
        self._keeper = asyncio.create_task(self._keep(), name="lease")

    async def release(self) -> None:
        """Gives the lease up, so that the next holder need not wait. Never raises."""
        keeper, self._keeper = self._keeper, None
        if keeper is None:
            return
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
        held, lease = self.held, self._lease
        self.lost.set()
        if not held or lease is None:
            return
        try:
            async with asyncio.timeout(_FAREWELL):
                await self._give_up(lease)
        except (ReactorError, TimeoutError) as error:
            why = error if isinstance(error, ReactorError) else "no answer in time"
            log.warning("couldn't release the lease %s: %s", self._name, why)

    async def _give_up(self, lease: _Lease) -> None:
        try:
            await self._write_empty(lease)
        except Conflict:
            # The renewal that was cancelled just now took effect, or someone else has it.
            found = await self._read()
            if found is not None and found.spec.holder_identity == self._identity:
                await self._write_empty(found)

    async def _write_empty(self, lease: _Lease) -> None:
        lease.spec.holder_identity = ""
        lease.spec.lease_duration_seconds = 1
        lease.spec.renew_time = _now()
        await self._write(lease)

    def _worry(self, words: str) -> None:
        now = self._clock()
        if self._trouble is None or now - self._said >= _REPEAT:
            self._said = now
            log.warning("%s", words)
        self._trouble = words

    async def _try(self) -> float | None:
        """One try: None when the lease is ours, else how long to wait."""
        lease = await self._read()
        started = self._clock()
        if lease is None:
            spec = _Spec(self._identity, _DURATION, _now(), _now(), 0)
            metadata = {"name": self._name, "namespace": self._namespace}
            self._lease = await self._write(_Lease(metadata, spec), create=True)
        else:
            spec = lease.spec
            self.holder = spec.holder_identity or None
            if self.holder not in (None, self._identity):
                left = self._left(lease)
                if left > 0:
                    return min(left, _RETRY)
                log.warning("the holder %s of lease %s is silent", self.holder, self._name)
            if self.holder != self._identity:
                spec.lease_transitions = (spec.lease_transitions or 0) + 1
                spec.acquire_time = _now()
            spec.holder_identity = self._identity
            spec.lease_duration_seconds = _DURATION
            spec.renew_time = _now()
            self._lease = await self._write(lease)
        self._renewed = started
        self.holder = self._identity
        return None

    def _left(self, lease: _Lease) -> float:
        # The holder's clock may be off: what counts is how long the record stood still here.
        version = str(lease.metadata.get("resourceVersion"))
        if self._seen[0] != version:
            self._seen = (version, self._clock())
        duration = min(_TAKEOVER, lease.spec.lease_duration_seconds or _TAKEOVER)
        return self._seen[1] + duration - self._clock()

    async def _keep(self) -> None:
        wait = _RENEW
        while True:
            left = self._renewed + _DEADLINE - self._clock()
            await self._sleep(min(wait, left))
            if self._clock() - self._renewed >= _DEADLINE:
                log.error("lost the lease %s: no renewal for %d s", self._name, _DEADLINE)
                break
            try:
                if await self._renew():
                    wait = _RENEW
                    continue
                log.error("lost the lease %s to %s", self._name, self.holder)
                break
            except (Retryable, Conflict, Terminal) as error:
                log.warning("can't renew the lease %s: %s", self._name, error)
                wait = _RETRY
        self._renewed = float("-inf")
        self.lost.set()

    async def _renew(self) -> bool:
        assert self._lease is not None
        started = self._clock()
        self._lease.spec.renew_time = _now()
        try:
            self._lease = await self._write(self._lease)
        except (Conflict, Retryable):
            # Someone wrote it, or our own write went through unanswered: the next try knows.
            found = await self._read()
            if found is None or found.spec.holder_identity != self._identity:
                self.holder = found.spec.holder_identity if found else None
                return False
            self._lease = found
            raise
        self._renewed = started
        return True

    async def _read(self) -> _Lease | None:
        try:
            answer = await self._connection.request(
                "GET", f"{self._collection}/{self._name}", timeout=_TIMEOUT, resource="leases"
            )
        except Terminal as error:
            if error.status == 404:
                return None
            raise
        return _decode(answer.body)

    async def _write(self, lease: _Lease, *, create: bool = False) -> _Lease:
        spec = {k: v for k, v in msgspec.to_builtins(lease.spec).items() if v is not None}
        body = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {k: v for k, v in lease.metadata.items() if k != "managedFields"},
            "spec": spec,
        }
        answer = await self._connection.request(
            "POST" if create else "PUT",
            self._collection if create else f"{self._collection}/{self._name}",
            body=msgspec.json.encode(body),
            timeout=_TIMEOUT,
            resource="leases",
        )
        return _decode(answer.body)


def _decode(body: bytes) -> _Lease:
    try:
        return msgspec.json.decode(body, type=_Lease)
    except msgspec.MsgspecError as error:
        raise Retryable(f"the API server's answer is no Lease: {error}") from error


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
