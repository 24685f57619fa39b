"""CustomResourceDefinitions: what they declare is served; when they change, its watches end."""

from __future__ import annotations

from typing import Protocol

import msgspec

from reactor.sandbox.documents import Document
from reactor.sandbox.objects import Objects
from reactor.sandbox.registry import Registry, Resource, of_definition
from reactor.sandbox.storage import Key, Store, Stored
from reactor.sandbox.target import Options, Target

GROUP = "apiextensions.k8s.io"
PLURAL = "customresourcedefinitions"
FINALIZER = "customresourcecleanup.apiextensions.k8s.io"

_ACCEPTED = (
    ("NamesAccepted", "NoConflicts", "no conflicts found"),
    ("Established", "InitialNamesAccepted", "the initial names have been accepted"),
)


class Watches(Protocol):
    """Ends the open watches of a resource."""

    def end(self, key: Key) -> None: ...


class Definitions:
    """Reacts to writes of CustomResourceDefinitions."""

    def __init__(
        self, *, store: Store, registry: Registry, objects: Objects, watches: Watches
    ) -> None:
        self._store = store
        self._registry = registry
        self._objects = objects
        self._watches = watches
        objects.reactions.append(self._react)
        objects.marks[(GROUP, PLURAL)] = self._mark

    def _react(self, resource: Resource, old: Stored | None, new: Stored, gone: bool) -> None:
        if resource.key == (GROUP, PLURAL):
            if gone:
                self._vanish(_key(new))
            else:
                self._serve(resource, old, new)
        elif gone and resource.custom:
            self._finish(resource)

    def _serve(self, resource: Resource, old: Stored | None, new: Stored) -> None:
        document = _document(new)
        metadata, status = document["metadata"], document.get("status") or {}
        if metadata.get("deletionTimestamp"):
            self._clear(new, document)
            return
        served = of_definition(document)
        if served != self._registry.get(*served.key):
            self._watches.end(served.key)
            # The kind is served anew: no watch can go on from before.
            self._store.forget(served.key)
            self._registry.put(served)
        names = document["spec"]["names"]
        storage = served.storage
        stored = list(status.get("storedVersions") or [])
        if status.get("acceptedNames") == names and storage in stored:
            return
        now = self._objects.now()
        if storage not in stored:
            stored.append(storage)
        held = {c["type"]: c for c in status.get("conditions") or [] if c.get("status") == "True"}
        told = {
            "conditions": [
                held.get(kind) or _condition(kind, reason, message, now)
                for kind, reason, message in _ACCEPTED
            ],
            "acceptedNames": names,
            "storedVersions": stored,
        }

        def change(old: Document) -> Document:
            old["status"] = told
            return old

        target = msgspec.structs.replace(_target(resource, new), subresource="status")
        self._objects.update(target, change, Options(manager="kube-apiserver"))

    def _mark(self, document: Document) -> None:
        finalizers = document["metadata"].setdefault("finalizers", [])
        if FINALIZER not in finalizers:
            finalizers.append(FINALIZER)
        conditions = document.setdefault("status", {}).setdefault("conditions", [])
        conditions.append(
            _condition(
                "Terminating",
                "InstanceDeletionPending",
                "CustomResourceDefinition marked for deletion; CustomResource deletion will begin "
                "soon",
                self._objects.now(),
            )
        )

    def _clear(self, new: Stored, document: Document) -> None:
        """Delete the objects of a definition that is going away, then the definition."""
        group, plural = _key(new)
        custom = self._registry.get(group, plural)
        table = self._store.table((group, plural))
        if custom is not None:
            version = custom.versions[0]
            for stored in list(table.within("")):
                self._objects.delete(Target(custom, version, stored.namespace, stored.name))
        if not table.objects:
            self._release(new)

    def _finish(self, custom: Resource) -> None:
        """The last object of a definition that is going away may just have gone."""
        name = f"{custom.plural}.{custom.group}"
        held = self._store.table((GROUP, PLURAL)).objects.get(name)
        if held is None or self._store.table(custom.key).objects:
            return
        if _document(held)["metadata"].get("deletionTimestamp"):
            self._release(held)

    def _release(self, stored: Stored) -> None:
        resource = self._registry.get(GROUP, PLURAL)
        held = self._store.table((GROUP, PLURAL)).objects.get(stored.name)
        if resource is not None and held is not None:
            self._objects.remove(resource, held)

    def _vanish(self, key: Key) -> None:
        """Serve the resource no more."""
        custom = self._registry.get(*key)
        if custom is None:
            return
        for stored in list(self._store.table(key).within("")):
            self._objects.remove(custom, stored)
        self._registry.drop(key)
        self._watches.end(key)
        self._store.forget(key)


def _key(stored: Stored) -> Key:
    plural, _, group = stored.name.partition(".")
    return (group, plural)


def _document(stored: Stored) -> Document:
    return stored.document(f"{GROUP}/v1", "CustomResourceDefinition")


def _target(resource: Resource, stored: Stored) -> Target:
    return Target(resource, resource.versions[0], "", stored.name)


def _condition(kind: str, reason: str, message: str, now: str) -> Document:
    return {
        "type": kind,
        "status": "True",
        "lastTransitionTime": now,
        "reason": reason,
        "message": message,
    }
