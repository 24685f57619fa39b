"""The two controllers that clients lean on: namespaces that go away, and owners' dependents."""

from __future__ import annotations

import asyncio
from collections import deque

from reactor.sandbox.documents import Document
from reactor.sandbox.objects import FOREGROUND, Objects
from reactor.sandbox.registry import Registry, Resource
from reactor.sandbox.storage import Store, Stored
from reactor.sandbox.target import Options, Target

_NAMESPACES = ("", "namespaces")


class Lifecycle:
    """Empties and finalises terminating namespaces; deletes what a deleted owner leaves behind."""

    def __init__(self, *, store: Store, registry: Registry, objects: Objects) -> None:
        self._store = store
        self._registry = registry
        self._objects = objects
        self._terminating: set[str] = set()
        self._orphans: deque[str] = deque()
        # Owners that wait for their dependents to go first.
        self._owners: deque[tuple[Resource, str]] = deque()
        self._wake = asyncio.Event()
        objects.reactions.append(self._react)
        objects.marks[_NAMESPACES] = _mark

    async def run(self) -> None:
        """Work for ever, beside the requests and never within one."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._orphans:
                self._collect(self._orphans.popleft())
            while self._owners:
                self._let_go(*self._owners.popleft())
            for name in sorted(self._terminating):
                self._empty(name)
                await asyncio.sleep(0)

    def _react(self, resource: Resource, old: Stored | None, new: Stored, gone: bool) -> None:
        if gone:
            if new.uid in self._store.owned:
                self._orphans.append(new.uid)
                self._wake.set()
            if new.namespace in self._terminating:
                self._wake.set()
        elif b'"deletionTimestamp":' in new.body and FOREGROUND.encode() in new.body:
            self._owners.append((resource, new.path))
            self._wake.set()
        if resource.key == _NAMESPACES:
            if gone:
                self._terminating.discard(new.name)
            elif b'"deletionTimestamp":' in new.body:
                self._terminating.add(new.name)
                self._wake.set()

    def _empty(self, namespace: str) -> None:
        left = False
        for resource in list(self._registry):
            if not resource.namespaced:
                continue
            table = self._store.table(resource.key)
            for path in list(table.paths(namespace)):
                stored = table.objects.get(path)
                if stored is None:
                    continue
                left = not self._delete(resource, stored) or left
        if not left:
            self._finalise(namespace)

    def _finalise(self, name: str) -> None:
        resource = self._registry.get(*_NAMESPACES)
        stored = self._store.table(_NAMESPACES).objects.get(name)
        if resource is None or stored is None:
            self._terminating.discard(name)
            return
        document = stored.document("v1", "Namespace")
        if not document["metadata"].get("finalizers"):
            self._terminating.discard(name)
            self._objects.remove(resource, stored)

    def _collect(self, uid: str) -> None:
        for key, path in sorted(self._store.owned.get(uid, set())):
            resource = self._registry.get(*key)
            stored = self._store.table(key).objects.get(path)
            if resource is None or stored is None:
                continue
            others = [owner for owner in stored.owners if owner != uid and self._lives(owner)]
            if not others:
                self._delete(resource, stored)

    def _let_go(self, resource: Resource, path: str) -> None:
        stored = self._store.table(resource.key).objects.get(path)
        if stored is None:
            return
        self._collect(stored.uid)

        def change(document: Document) -> Document:
            finalizers = document["metadata"].get("finalizers", [])
            document["metadata"]["finalizers"] = [f for f in finalizers if f != FOREGROUND]
            return document

        target = Target(resource, resource.versions[0], stored.namespace, stored.name)
        self._objects.update(target, change, Options(manager="kube-controller-manager"))

    def _lives(self, uid: str) -> bool:
        return any(
            stored.uid == uid
            for resource in self._registry
            for stored in self._store.table(resource.key).objects.values()
        )

    def _delete(self, resource: Resource, stored: Stored) -> bool:
        target = Target(resource, resource.versions[0], stored.namespace, stored.name)
        return self._objects.delete(target).gone


def _mark(document: Document) -> None:
    document.setdefault("status", {})["phase"] = "Terminating"
