"""Create, update, patch and delete: what the API server does to an object on its way in."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from reactor.sandbox import managedfields
from reactor.sandbox.admission import Admission
from reactor.sandbox.documents import Document, copy
from reactor.sandbox.managedfields import Manager
from reactor.sandbox.registry import Registry, Resource
from reactor.sandbox.status import (
    StatusError,
    already_exists,
    bad_request,
    not_found,
    uid_differs,
    version_differs,
)
from reactor.sandbox.storage import Key, Store, Stored, stored_form
from reactor.sandbox.target import Options, Outcome, Target

FOREGROUND = "foregroundDeletion"
_SUFFIX = "bcdfghjklmnpqrstvwxz2456789"
Reaction = Callable[[Resource, "Stored | None", Stored, bool], None]
Mutation = Callable[[Document], Document]


class Objects:
    """All writes, atomic: nothing here awaits. Raises StatusError."""

    def __init__(
        self, *, store: Store, registry: Registry, clock: Callable[[], datetime] | None = None
    ) -> None:
        self._store = store
        self._registry = registry
        self._clock = clock or (lambda: datetime.now(UTC))
        self._admission = Admission(store)
        # Called after each write, in order: definitions, namespaces, garbage.
        self.reactions: list[Reaction] = []
        # Kinds that a controller takes apart before they go, and how such a deletion is marked.
        self.marks: dict[Key, Callable[[Document], None]] = {}

    def now(self) -> str:
        """The time as metadata spells it: RFC 3339, seconds, Z."""
        return self._clock().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def find(self, target: Target) -> Stored | None:
        return self._store.table(target.resource.key).objects.get(target.path)

    def get(self, target: Target) -> Stored:
        stored = self.find(target)
        if stored is None:
            raise not_found(target.resource.subject(target.name))
        return stored

    def create(self, target: Target, document: Document, options: Options) -> Outcome:
        """Store a new object."""
        resource = target.resource
        metadata = self._admission.envelope(target, document)
        if metadata.get("resourceVersion"):
            raise StatusError(500, "", "resourceVersion should not be set on objects to be created")
        generated = not metadata.get("name") and bool(metadata.get("generateName"))
        if generated:
            ending = "".join(secrets.choice(_SUFFIX) for _ in range(5))
            metadata["name"] = metadata["generateName"][:58] + ending
        place = msgspec.structs.replace(target, name=metadata.get("name") or "")
        self._admission.admit(place)
        for field in ("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"):
            metadata.pop(field, None)
        metadata["uid"] = str(uuid.uuid4())
        metadata["creationTimestamp"] = self.now()
        metadata.pop("generation", None)
        if resource.generation:
            metadata["generation"] = 1
        if target.version.status and (resource.custom or resource.plural != "namespaces"):
            document.pop("status", None)
        warnings = self._admission.shape(place, document, None, options)
        if self.find(place) is not None:
            raise self._taken(place)
        if options.manager:
            zero = {"apiVersion": "", "kind": "", **copy(resource.zero)}
            self.own(place, zero, document, options)
        self._admission.defaults.allocate(resource.key, document)
        return Outcome(
            self._write(place, None, document, dry=options.dry_run), True, tuple(warnings)
        )

    def update(
        self, target: Target, change: Mutation, options: Options, *, patching: bool = False
    ) -> Outcome:
        """Replace an object with what `change` makes of a copy of it."""
        resource = target.resource
        held = self.get(target)
        old = held.document(target.api_version, resource.kind)
        document = change(copy(old))
        metadata = self._admission.envelope(target, document, patching=patching)
        before = old["metadata"]
        if metadata.get("name") != target.name:
            raise bad_request(
                f"the name of the object ({metadata.get('name', '')}) does not match the name on "
                f"the URL ({target.name})"
            )
        self._admission.preconditions(target, metadata, before, patching=patching)
        for field in (
            "creationTimestamp",
            "generation",
            "deletionTimestamp",
            "uid",
            "deletionGracePeriodSeconds",
            "selfLink",
        ):
            metadata.pop(field, None)
            if field in before:
                metadata[field] = before[field]
        metadata["resourceVersion"] = before["resourceVersion"]
        self._admission.divide(target, document, old)
        warnings = self._admission.shape(target, document, old, options)
        self.own(target, old, document, options)
        self._admission.defaults.allocate(resource.key, document)
        if _same(old, document):
            return Outcome(held, warnings=tuple(warnings))
        if not target.subresource and self._changed(resource, old, document):
            metadata["generation"] = before.get("generation", 0) + 1
        if metadata.get("deletionTimestamp") and not self._kept(resource, document):
            last = held if options.dry_run else self._remove(resource, held)
            metadata["resourceVersion"] = str(last.version)
            return Outcome(stored_form(document, last.version, resource.fields), gone=True)
        return Outcome(
            self._write(target, held, document, dry=options.dry_run), warnings=tuple(warnings)
        )

    def delete(
        self,
        target: Target,
        *,
        uid: str = "",
        version: str = "",
        propagation: str = "",
        dry_run: bool = False,
    ) -> Outcome:
        """Delete an object, or mark it while finalizers hold it."""
        held = self.get(target)
        subject = target.resource.kind_subject(target.name)
        if uid and uid != held.uid:
            raise uid_differs(subject, uid, held.uid)
        if version and version != str(held.version):
            raise version_differs(subject, version, held.version)
        resource = target.resource
        document = held.document(resource.api_version(resource.storage), resource.kind)
        metadata = document["metadata"]
        before = dict(metadata)
        if propagation == "Orphan" and not dry_run:
            self._orphan(held.uid)
        if propagation == "Foreground" and FOREGROUND not in metadata.get("finalizers", []):
            metadata.setdefault("finalizers", []).append(FOREGROUND)
        if not self._kept(resource, document) and resource.key not in self.marks:
            return Outcome(held if dry_run else self._remove(resource, held), gone=True)
        if metadata.get("deletionTimestamp"):
            return Outcome(held)
        metadata["deletionTimestamp"] = self.now()
        metadata["deletionGracePeriodSeconds"] = 0
        if resource.generation:
            metadata["generation"] = metadata.get("generation", 0) + 1
        mark = self.marks.get(resource.key)
        if mark is not None:
            metadata.pop("deletionGracePeriodSeconds")
            metadata.update({k: v for k, v in before.items() if k == "generation"})
            mark(document)
        return Outcome(self._write(target, held, document, dry=dry_run))

    def put(self, target: Target, document: Document) -> Stored:
        """Store a document as it is, past every check but identity: for controllers and tests."""
        metadata = document.setdefault("metadata", {})
        held = self.find(target)
        if held is not None:
            metadata.setdefault("uid", held.uid)
        metadata.setdefault("name", target.name)
        if target.namespace:
            metadata.setdefault("namespace", target.namespace)
        metadata.setdefault("uid", str(uuid.uuid4()))
        metadata.setdefault("creationTimestamp", self.now())
        if target.resource.generation:
            metadata.setdefault("generation", 1)
        return self._write(target, held, document, dry=False)

    def remove(self, resource: Resource, stored: Stored) -> Stored:
        """Delete at once, whatever finalizers say."""
        return self._remove(resource, stored)

    def _taken(self, place: Target) -> StatusError:
        error = already_exists(place.resource.subject(place.name))
        held = self.get(place).document(place.api_version, place.resource.kind)
        if held["metadata"].get("deletionTimestamp"):
            error.message = f"object is being deleted: {error.message}"
        return error

    def own(self, target: Target, old: Document, new: Document, options: Options) -> None:
        """Set `new`'s managedFields for a change from `old`."""
        ignored: frozenset[str] = frozenset()
        if target.version.status:
            ignored = (
                frozenset({"f:spec"}) if target.subresource == "status" else frozenset({"f:status"})
            )
            if target.resource.key == ("", "namespaces") and not target.subresource:
                ignored = frozenset({"f:status", "f:spec"})
        managedfields.update(
            old,
            new,
            manager=Manager(options.manager, "Update", target.api_version, target.subresource),
            shape=target.version.shape,
            now=self.now(),
            ignored=ignored,
        )

    def _changed(self, resource: Resource, old: Document, new: Document) -> bool:
        if resource.generation == ("*",):
            return any(
                old.get(key) != new.get(key) for key in old.keys() | new.keys() if key != "metadata"
            )
        return any(old.get(key) != new.get(key) for key in resource.generation)

    def _kept(self, resource: Resource, document: Document) -> bool:
        """Whether finalizers keep a deleted object."""
        if document["metadata"].get("finalizers"):
            return True
        spec = document.get("spec") or {}
        return resource.key == ("", "namespaces") and bool(spec.get("finalizers"))

    def _write(
        self, target: Target, held: Stored | None, document: Document, *, dry: bool
    ) -> Stored:
        resource = target.resource
        if dry:
            return stored_form(document, held.version if held else 0, resource.fields)
        stored = self._store.write(resource.key, document, resource.fields)
        for reaction in self.reactions:
            reaction(resource, held, stored, False)
        return stored

    def _remove(self, resource: Resource, stored: Stored) -> Stored:
        last = self._store.remove(resource.key, stored)
        for reaction in self.reactions:
            reaction(resource, stored, last, True)
        return last

    def _orphan(self, uid: str) -> None:
        for key, path in sorted(self._store.owned.get(uid, set())):
            resource = self._registry.get(*key)
            held = self._store.table(key).objects.get(path)
            if resource is None or held is None:
                continue
            document = held.document(resource.api_version(resource.storage), resource.kind)
            owners = document["metadata"].get("ownerReferences", [])
            document["metadata"]["ownerReferences"] = [o for o in owners if o.get("uid") != uid]
            self._write(_target(resource, held), held, document, dry=False)


def _target(resource: Resource, stored: Stored) -> Target:
    version = resource.version(resource.storage) or resource.versions[0]
    return Target(resource, version, stored.namespace, stored.name)


def _same(old: Document, new: Document) -> bool:
    """Whether a write would change nothing but the times in managedFields."""
    before, after = old["metadata"], new["metadata"]
    if not managedfields.same_but_times(before.get("managedFields"), after.get("managedFields")):
        return False

    def rest(document: Document, metadata: Document) -> dict[str, Any]:
        bare = {key: value for key, value in metadata.items() if key != "managedFields"}
        return {**document, "metadata": bare}

    return rest(old, before) == rest(new, after)
