"""The state behind the server: storage, kinds and controllers, with direct access for tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from reactor.sandbox import bootstrap, crds, kinds
from reactor.sandbox.definitions import Definitions
from reactor.sandbox.documents import Document, copy
from reactor.sandbox.lifecycle import Lifecycle
from reactor.sandbox.objects import Objects
from reactor.sandbox.registry import Registry, Resource
from reactor.sandbox.storage import Store
from reactor.sandbox.target import Options, Target
from reactor.sandbox.watch import Hub


class Cluster:
    """One cluster in memory. Methods take and give whole documents and act at once, unchecked."""

    def __init__(
        self,
        *,
        definitions: Iterable[Document] | None = None,
        clock: Callable[[], datetime] | None = None,
        history: int = 20_000,
    ) -> None:
        self.storage = Store(history=history)
        self.registry = Registry(kinds.built_in())
        self.objects = Objects(store=self.storage, registry=self.registry, clock=clock)
        self.hub = Hub(self.storage)
        Definitions(
            store=self.storage, registry=self.registry, objects=self.objects, watches=self.hub
        )
        self.lifecycle = Lifecycle(store=self.storage, registry=self.registry, objects=self.objects)
        for document in bootstrap.documents():
            self.put(document)
        if definitions is None:
            definitions = (crds.traffic_split(), crds.service_profile())
        for document in definitions:
            self.create(document)

    @property
    def version(self) -> int:
        """The newest resourceVersion."""
        return self.storage.version

    def create(self, document: Document, *, manager: str = "sandbox") -> Document:
        """Create as over HTTP: defaults, validation, managedFields. Raises StatusError."""
        target = self._of(document)
        self.objects.create(target, copy(document), Options(manager=manager))
        return self._read(target)

    def apply(self, document: Document, *, manager: str = "sandbox") -> Document:
        """Create, or replace as over HTTP whatever version is there. Raises StatusError."""
        target = self._of(document)
        held = self.objects.find(target)
        if held is None:
            return self.create(document, manager=manager)
        fresh = copy(document)
        fresh["metadata"]["resourceVersion"] = str(held.version)
        self.objects.update(target, lambda old: fresh, Options(manager=manager))
        return self._read(target)

    def put(self, document: Document) -> Document:
        """Store a document as it is: no defaults, no checks; missing identity is made up."""
        target = self._of(document)
        self.objects.put(target, copy(document))
        return self._read(target)

    def get(self, plural: str, name: str, namespace: str = "") -> Document | None:
        """The object in its storage version, or None."""
        resource = self._named(plural)
        path = f"{namespace}/{name}" if namespace else name
        stored = self.storage.table(resource.key).objects.get(path)
        if stored is None:
            return None
        return stored.document(resource.api_version(resource.storage), resource.kind)

    def list(self, plural: str, namespace: str = "") -> list[Document]:
        """Objects of a namespace, or all, in list order."""
        resource = self._named(plural)
        return [
            stored.document(resource.api_version(resource.storage), resource.kind)
            for stored in self.storage.table(resource.key).within(namespace)
        ]

    def count(self, plural: str, namespace: str = "") -> int:
        """How many objects there are."""
        return len(self.storage.table(self._named(plural).key).paths(namespace))

    def remove(self, plural: str, name: str, namespace: str = "") -> bool:
        """Delete at once, finalizers or not; whether it was there."""
        resource = self._named(plural)
        path = f"{namespace}/{name}" if namespace else name
        stored = self.storage.table(resource.key).objects.get(path)
        if stored is not None:
            self.objects.remove(resource, stored)
        return stored is not None

    def remove_all(self, plural: str, namespace: str = "") -> int:
        """Delete all objects of a resource at once; how many."""
        resource = self._named(plural)
        held = list(self.storage.table(resource.key).within(namespace))
        for stored in held:
            self.objects.remove(resource, stored)
        return len(held)

    def _named(self, plural: str) -> Resource:
        for resource in self.registry:
            if plural in (resource.plural, f"{resource.plural}.{resource.group}"):
                return resource
        raise LookupError(
            f"no resource {plural!r} is served; served are the built-in kinds and "
            "those that CustomResourceDefinitions declare"
        )

    def _of(self, document: Document) -> Target:
        group, _, version = document["apiVersion"].rpartition("/")
        resource = self.registry.of_kind(group, document["kind"])
        served = resource.version(version) if resource else None
        if resource is None or served is None:
            raise LookupError(f"kind {document['kind']} of {document['apiVersion']} isn't served")
        metadata = document["metadata"]
        namespace = metadata.get("namespace", "default") if resource.namespaced else ""
        return Target(resource, served, namespace, metadata.get("name", ""))

    def _read(self, target: Target) -> Document:
        return self.objects.get(target).document(target.api_version, target.resource.kind)
