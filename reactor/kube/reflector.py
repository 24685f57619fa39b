"""One collection, mirrored: list, watch, and both again for as long as the process runs.

Watching is ours since kubernetes-asyncio's (36.1) retries a 410 with the same version and knows
no time-out. What ends a watch leads back to `run`: its version is resumed, unless it expired.
"""

from __future__ import annotations

import asyncio
import random as randomness
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Generic, Protocol, TypeVar

from reactor.errors import Conflict, Expired, ReactorError, Retryable, Terminal
from reactor.events import KubeObject, Observed, Resource
from reactor.kube import status, wire
from reactor.kube.backoff import Backoff
from reactor.kube.health import Health
from reactor.kube.listing import Decode, fetch, readable
from reactor.kube.pace import Pace
from reactor.kube.requests import Requests
from reactor.kube.store import Change, Store
from reactor.model.actor import actor
from reactor.model.meta import Meta

T = TypeVar("T", bound=KubeObject)

_SERVER_TIMEOUT = 290.0  # seconds, jittered by a tenth, so that watches don't renew together
_SILENCE = 90.0  # seconds; bookmarks come each minute
_LIVED = 5.0  # seconds after which a watch counts as a success
_LONGEST_WAIT = 120.0  # seconds, whatever Retry-After says


class Streams(Requests, Protocol):
    """A Connection, as far as it is needed here."""

    @property
    def server(self) -> str:
        """The API server's URL."""
        ...

    def stream(
        self,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        silence: float = ...,
        resource: str = "",
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """A watch, line by line."""
        ...


class Locates(Protocol):
    """Knows where the collection is served."""

    async def path(self) -> str | None:
        """The collection's path, None while nothing serves it."""
        ...


class Reflector(Generic[T]):
    """Keeps one store equal to the server, and publishes each difference once."""

    def __init__(
        self,
        *,
        connection: Streams,
        discovery: Locates,
        resource: Resource,
        decode: Decode[T],
        store: Store[T],
        publish: Callable[[Observed], Awaitable[None]],
        absent: str,
        echoes: bool = False,
        returned: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], int] = lambda: time.time_ns() // 1000,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        random: Callable[[], float] = randomness.random,
        silence: float = _SILENCE,
    ) -> None:
        """``absent`` says what is missing, and what to do, when nothing serves the collection.

        ``echoes``: publish events that the store knew already, as echoes.
        ``returned`` is called when the collection is served, and listed, after it was not.
        ``now`` is microseconds UTC.
        """
        self._connection = connection
        self._discovery = discovery
        self._resource: Resource = resource
        self._decode = decode
        self._store = store
        self._publish = publish
        self._absent = absent
        self._echoes = echoes
        self._returned = returned
        self._clock = clock
        self._now = now
        self._sleep = sleep
        self._random = random
        self._silence = silence
        self._backoff = Backoff(base=0.2, cap=5.0, random=random)
        self._search = Backoff(base=0.5, cap=5.0, random=random)
        self._path: str | None = None
        self._version = ""
        self._away = False
        self._pace = Pace()
        self._listing = asyncio.Lock()
        self._turn = asyncio.Lock()  # store and journal see changes in one order
        self._synced = asyncio.Event()
        self.health = Health(resource, clock=clock)

    async def synced(self) -> None:
        """Waits until the first list is in the store and published."""
        await self._synced.wait()

    async def relist(self) -> None:
        """A fresh look, now, while the watch goes on; what differs is published.

        Retryable or Terminal when it can't be had.
        """
        path = await self._discovery.path()
        if path is None:
            raise Retryable(self._absent)
        await self._list(path)

    async def run(self) -> None:
        """Lists and watches until cancelled."""
        while True:
            try:
                path = await self._discovery.path()
                if path is None:
                    await self._missing()
                    continue
                if path != self._path or not self._version:
                    if self._version:
                        self.health.restarts["moved"] += 1
                    await self._list(path)
                await self._watch(path)
            except Expired:
                self._version = ""
                await self._again("expired", "the watched version expired: listing again", 0.0)
            except (Retryable, Conflict) as error:
                after = error.after if isinstance(error, Retryable) else None
                await self._again("failed", self._unreachable(error), after)
            except Terminal as error:
                if error.status == 404:
                    await self._missing()
                else:
                    await self._again("refused", self._refused(error), None)

    async def _missing(self) -> None:
        # No proof that the objects are gone: they stay, and deletions found later are unproved.
        self._away = True
        self._version = ""
        self.health.restarts["missing"] += 1
        self.health.trouble("missing", self._absent)
        await self._sleep(self._search.next())

    async def _again(self, reason: str, words: str, after: float | None) -> None:
        self.health.restarts[reason] += 1
        self.health.trouble(reason, words)
        first = not self._backoff.failures
        wait = self._backoff.next()
        if after:
            wait = min(after, _LONGEST_WAIT) * (1 + self._random() / 10)
        elif after is not None and first:
            wait = 0.0
        if wait:
            await self._sleep(wait)

    async def _list(self, path: str) -> None:
        async with self._listing:
            floor = self._store.newest
            again = self._synced.is_set() and path == self._path
            listing = await fetch(
                self._connection,
                path,
                resource=self._resource,
                decode=self._decode,
                known=self._store.holds if again else None,
            )
            self.health.contact()
            async with self._turn:
                changes = self._store.replace(
                    listing.objects,
                    version=listing.version,
                    floor=floor,
                    keep=listing.others,
                )
                self._path, self._version = path, listing.resource_version
                away, self._away = self._away, False
                received = time.monotonic()
                pace = Pace()
                for change in changes:
                    await self._announce(change, received, proved=not away)
                    await pace()
                if away:
                    self._returned()
            self._search.reset()
            self.health.synced = True
            self._synced.set()

    async def _watch(self, path: str) -> None:
        seconds = _SERVER_TIMEOUT * (0.9 + 0.2 * self._random())
        query = {
            "watch": "1",
            "resourceVersion": self._version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(int(seconds)),
        }
        started = self._clock()
        try:
            async with self._connection.stream(
                path, query=query, silence=self._silence, resource=self._resource
            ) as lines:
                self.health.opened()
                async for line in lines:
                    await self._line(line)
                    await self._pace()
        finally:
            self.health.closed()
            if self._clock() - started >= _LIVED:
                self._backoff.reset()
        await self._again("ended", "the watch ended, as it does every few minutes", 0.0)

    async def _line(self, line: bytes) -> None:
        received = time.monotonic()
        event = wire.event(line)
        self.health.contact()
        if event.type == "ERROR":
            said = status.decode(event.object)
            raise status.failure("WATCH", self._path or "", said.code or 500, {}, said)
        self._backoff.reset()
        obj = None
        if event.type != "BOOKMARK":
            obj = readable(event.object, resource=self._resource, decode=self._decode)
        meta: Meta | wire.HeadMeta
        if obj is not None:
            meta = obj.meta
        elif (head := wire.head(event.object)) is not None:
            meta = head.metadata
        else:
            return
        async with self._turn:
            if event.type == "DELETED":
                changes = self._store.remove(meta.namespace, meta.name, meta.uid, last=obj)
            else:
                changes = self._store.put(obj) if obj is not None else ()
            if meta.resource_version:
                self._version = meta.resource_version
                self._store.advance(int(self._version) if self._version.isdigit() else 0)
            for change in changes:
                await self._announce(change, received)
            if obj is not None and not changes and self._echoes:
                gone = event.type == "DELETED"
                await self._publish(
                    Observed(
                        resource=self._resource,
                        change="echo",
                        old=obj if gone else None,
                        new=None if gone else obj,
                        actor="unknown" if gone else actor(None, obj),
                        at=self._now(),
                        received=received,
                    )
                )

    async def _announce(self, change: Change[T], received: float, *, proved: bool = True) -> None:
        old, new = change.old, change.new
        await self._publish(
            Observed(
                resource=self._resource,
                change=change.kind,
                old=old,
                new=new,
                actor="unknown" if new is None else actor(old, new),
                at=self._now(),
                received=received,
                proved=proved or new is not None,
            )
        )

    def _unreachable(self, error: ReactorError) -> str:
        if isinstance(error, Retryable) and error.status is None:
            return f"no answer from the API server ({error}): retrying; is it up, and this one?"
        return f"the API server {self._connection.server} can't serve them now ({error}): retrying"

    def _refused(self, error: Terminal) -> str:
        if error.status == 401:
            return f"the API server doesn't accept our credentials ({error}): renew them"
        if error.status == 403:
            return f"no permission ({error}): apply the ClusterRole of config/rbac and bind it"
        return f"the API server refused ({error}): retrying"
