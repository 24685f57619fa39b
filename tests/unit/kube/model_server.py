"""A collection of TrafficSplits as an API server keeps it, without a wire: versions, watches, 410.

It stands behind the reflector's `Streams` Protocol, so that a property test can run thousands of
interleavings in virtual time. The wire itself is tested beside it, over HTTP.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from reactor.errors import Expired, ReactorError, Retryable, Terminal
from reactor.kube.connection import Response

GROUP = "/apis/split.smi-spec.io"


class Watcher:
    """One open watch: what it has yet to send."""

    def __init__(self, version: int) -> None:
        self.version = version
        self.queue: deque[bytes | ReactorError | None] = deque()
        self.woken = asyncio.Event()

    def send(self, item: bytes | ReactorError | None) -> None:
        self.queue.append(item)
        self.woken.set()


class ModelServer:
    """Objects, their history, and faults that requests run into."""

    server = "https://model"

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.history: list[tuple[int, bytes]] = []
        self.version = 10
        self.compacted = 0
        self.served: str | None = "v1alpha4"
        self.faults: deque[ReactorError] = deque()
        self.watchers: list[Watcher] = []
        self.open: list[Watcher] = []  # those too that have been ended, but not yet said so
        self.snapshots: dict[str, tuple[int, list[dict[str, Any]]]] = {}
        self.chunk = 2
        self.held = False
        self.uids = 0
        self.requests: list[str] = []

    # what the test does to the server

    def write(self, name: str, service: str | None) -> dict[str, Any]:
        """Creates or changes an object, and returns the answer."""
        self.version += 1
        old = self.objects.get(name)
        if old is None:
            self.uids += 1
        obj = {
            "apiVersion": f"split.smi-spec.io/{self.served}",
            "kind": "TrafficSplit",
            "metadata": {
                "namespace": "ns",
                "name": name,
                "uid": old["metadata"]["uid"] if old else f"uid-{self.uids}",
                "resourceVersion": str(self.version),
            },
            "spec": {"service": service, "backends": []},
        }
        self.objects[name] = obj
        self._record("MODIFIED" if old else "ADDED", obj)
        return obj

    def delete(self, name: str) -> None:
        obj = self.objects.pop(name, None)
        if obj is not None:
            self.version += 1
            last = json.loads(json.dumps(obj))
            last["metadata"]["resourceVersion"] = str(self.version)
            self._record("DELETED", last)

    def hold(self) -> None:
        """Watches lag from now on, while requests are answered."""
        self.held = True

    def release(self) -> None:
        self.held = False
        for watcher in self.open:
            watcher.woken.set()

    def compact(self) -> None:
        self.compacted = self.version
        self.snapshots.clear()

    def bookmark(self) -> None:
        for watcher in self.watchers:
            head = {"metadata": {"resourceVersion": str(self.version)}}
            watcher.send(_line("BOOKMARK", head))

    def repeat(self, count: int) -> None:
        """Sends the last events again, as a proxy or a reconnect may."""
        for _, line in self.history[-count:]:
            for watcher in self.watchers:
                watcher.send(line)

    def end_watches(self, error: ReactorError | None) -> None:
        for watcher in self.watchers:
            watcher.send(error)
        self.release()
        self.watchers.clear()

    def expire_watches(self) -> None:
        status = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}
        for watcher in self.watchers:
            watcher.send(_line("ERROR", status))
            watcher.send(None)
        self.release()
        self.watchers.clear()

    def remove_crd(self) -> None:
        """The collection goes without a word, as after a restore from backup."""
        self.served = None
        self.objects.clear()
        self.version += 1
        self.compact()
        self.end_watches(None)

    def _record(self, kind: str, obj: dict[str, Any]) -> None:
        line = _line(kind, obj)
        self.history.append((self.version, line))
        for watcher in self.watchers:
            watcher.send(line)

    # what the reflector sees

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        **rest: object,
    ) -> Response:
        self.requests.append(path)
        await asyncio.sleep(0)
        self._fault()
        if path == GROUP:
            if self.served is None:
                raise Terminal("404 page not found", status=404)
            return _answer({"versions": [{"version": self.served}, {"version": "v9"}]})
        self._find(path)
        return _answer(self._page(dict(query or {})))

    def _page(self, query: dict[str, str]) -> dict[str, Any]:
        token = query.get("continue")
        if token is None:
            version, items = self.version, list(self.objects.values())
        elif token in self.snapshots:
            version, items = self.snapshots[token]
        else:
            raise Expired("410 the continue token expired")
        limit = min(int(query["limit"]), self.chunk) if "limit" in query else len(items)
        page, rest = items[:limit], items[limit:]
        again = f"{version}-{len(rest)}" if rest else ""
        if rest:
            self.snapshots[again] = (version, rest)
        return {"metadata": {"resourceVersion": str(version), "continue": again}, "items": page}

    @asynccontextmanager
    async def stream(
        self,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        silence: float = 0.0,
        resource: str = "",
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        await asyncio.sleep(0)
        self._fault()
        self._find(path)
        version = int((query or {})["resourceVersion"])
        if version < self.compacted:
            raise Expired("410 too old resource version")
        watcher = Watcher(version)
        for at, line in self.history:
            if at > version:
                watcher.send(line)
        self.watchers.append(watcher)
        self.open.append(watcher)
        try:
            yield self._lines(watcher)
        finally:
            self.open.remove(watcher)
            if watcher in self.watchers:
                self.watchers.remove(watcher)

    async def _lines(self, watcher: Watcher) -> AsyncIterator[bytes]:
        while True:
            while self.held or not watcher.queue:
                watcher.woken.clear()
                await watcher.woken.wait()
            item = watcher.queue.popleft()
            if item is None:
                return
            if isinstance(item, ReactorError):
                raise item
            yield item
            await asyncio.sleep(0)

    def _find(self, path: str) -> None:
        if self.served is None or path != f"{GROUP}/{self.served}/trafficsplits":
            raise Terminal("404 page not found", status=404)

    def _fault(self) -> None:
        if self.faults:
            raise self.faults.popleft()


def overloaded(after: float | None = None) -> Retryable:
    return Retryable("429 too many requests", status=429, after=after)


def _line(kind: str, obj: dict[str, Any]) -> bytes:
    return json.dumps({"type": kind, "object": obj}).encode()


def _answer(body: dict[str, Any]) -> Response:
    return Response(200, {}, json.dumps(body).encode())
