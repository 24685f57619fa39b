"""Watches: lines queued as writes happen, sent by one coroutine per watch."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec

from reactor.sandbox.documents import Document, encode
from reactor.sandbox.registry import Resource, Version
from reactor.sandbox.selectors import Predicate
from reactor.sandbox.storage import Change, Key, Store

Render = Callable[[Change, str], bytes]


class Cut(msgspec.Struct, frozen=True):
    """Sent as it is, and then the connection is torn down."""

    data: bytes


class Interference(Protocol):
    """What a fault script may do to the lines of a watch."""

    bookmarks: bool

    def pass_through(self, watch: Watch, line: bytes) -> list[bytes | Cut]:
        """The items to send now in place of `line`."""
        ...


class Watch:
    """One open watch: a queue between the writes and the wire."""

    def __init__(
        self,
        *,
        resource: Resource,
        version: Version,
        namespace: str,
        chosen: Predicate | None,
        faults: Interference,
        render: Render | None = None,
    ) -> None:
        self.resource = resource
        self.namespace = namespace
        self._api_version = resource.api_version(version.name)
        self._chosen = chosen
        self._faults = faults
        self._render = render or self._line
        self._queue: deque[bytes | Cut] = deque()
        self._wake = asyncio.Event()
        self._ended = False
        # Lines that a fault keeps back: no bookmark may overtake them.
        self.withheld = 0
        self.silent = False

    def see(self, change: Change) -> None:
        """A write took place."""
        told = self._told(change)
        if told:
            self.tell(self._render(change, told))

    def tell(self, line: bytes) -> None:
        """Queue a line, as far as the fault script lets it pass."""
        for item in self._faults.pass_through(self, line):
            self.push(item)

    def push(self, item: bytes | Cut) -> None:
        """Queue an item past the fault script."""
        self._queue.append(item)
        self._wake.set()

    def sever(self) -> None:
        """Tear the connection down; what is queued is lost."""
        self._queue.clear()
        self.silent = False
        self.push(Cut(b""))

    def end(self) -> None:
        """Close the stream once the queue is sent; what a silent one kept back is lost."""
        if self.silent:
            self._queue.clear()
            self.silent = False
        self._ended = True
        self._wake.set()

    async def run(
        self,
        write: Callable[[bytes], Awaitable[None]],
        abort: Callable[[], None],
        *,
        seconds: float,
        bookmark: Callable[[], bytes] | None,
        every: float,
    ) -> None:
        """Send until the watch ends or `seconds` have passed."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        due = loop.time() + every if bookmark else deadline
        while True:
            if not await self._flush(write, abort) or self._ended:
                return
            now = loop.time()
            if bookmark and now >= min(due, deadline):
                due = now + every
                if self._faults.bookmarks and not self.withheld:
                    self.push(bookmark())
                    await self._flush(write, abort)
            if now >= deadline and not self.silent:
                return
            self._wake.clear()
            until = min(due, deadline) if deadline > now else now + every
            try:
                async with asyncio.timeout_at(until):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _flush(
        self, write: Callable[[bytes], Awaitable[None]], abort: Callable[[], None]
    ) -> bool:
        while self._queue and not self.silent:
            lines: list[bytes] = []
            while self._queue and isinstance(self._queue[0], bytes):
                lines.append(self._queue.popleft())  # type: ignore[arg-type]  # just looked at
            if lines:
                await write(b"".join(lines))
            if self._queue and isinstance(self._queue[0], Cut):
                cut = self._queue.popleft()
                assert isinstance(cut, Cut)
                await write(cut.data)
                abort()
                return False
        return True

    def _told(self, change: Change) -> str:
        """The event's type for this watch: objects enter and leave its selection."""
        if self.namespace and change.new.namespace != self.namespace:
            return ""
        if self._chosen is None:
            return "DELETED" if change.gone else "MODIFIED" if change.old else "ADDED"
        before = change.old is not None and self._chosen(change.old)
        after = not change.gone and self._chosen(change.new)
        if before:
            return "MODIFIED" if after else "DELETED"
        return "ADDED" if after else ""

    def _line(self, change: Change, told: str) -> bytes:
        return change.line(self._api_version, self.resource.kind, told)


class Hub:
    """The open watches of all resources."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._open: dict[Key, set[Watch]] = {}

    def join(self, watch: Watch, since: int | None) -> bool:
        """Subscribe, with everything after version `since` (None: all objects as ADDED first).

        False when that history is gone; the watch is then not subscribed.
        """
        table = self._store.table(watch.resource.key)
        if since is None:
            for stored in table.within(watch.namespace):
                watch.see(Change(stored.version, None, stored, False))
        else:
            changes = table.since(since)
            if changes is None:
                return False
            for change in changes:
                watch.see(change)
        table.listeners.append(watch.see)
        self._open.setdefault(watch.resource.key, set()).add(watch)
        return True

    def leave(self, watch: Watch) -> None:
        key = watch.resource.key
        listeners = self._store.table(key).listeners
        if watch.see in listeners:
            listeners.remove(watch.see)
        self._open.get(key, set()).discard(watch)

    def watches(self, plural: str = "") -> list[Watch]:
        """Open watches of a resource, or of all."""
        return [w for key, held in self._open.items() for w in held if plural in ("", key[1])]

    def end(self, key: Key) -> None:
        """Close the watches of one resource."""
        for watch in self._open.get(key, set()):
            watch.end()


def error_line(status: Document) -> bytes:
    return b'{"type":"ERROR","object":%s}\n' % encode(status)


def bookmark_line(api_version: str, kind: str, version: int, *, first: bool = False) -> bytes:
    """`first` closes the initial events of a watch that asked for them."""
    metadata: Document = {"creationTimestamp": None, "resourceVersion": str(version)}
    if first:
        metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
    body = {"apiVersion": api_version, "kind": kind, "metadata": metadata}
    return b'{"type":"BOOKMARK","object":%s}\n' % encode(body)
