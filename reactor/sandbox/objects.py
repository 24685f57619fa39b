"""Create, update, patch and delete: what the API server does to an object on its way in."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from reactor.sandbox import managedfields, names, validation
from reactor.sandbox.defaults import Defaults
from reactor.sandbox.documents import Document, copy
from reactor.sandbox.managedfields import Manager
from reactor.sandbox.registry import Registry, Resource, Version
from reactor.sandbox.status import (
    Cause,
    StatusError,
    already_exists,
    bad_request,
    conflict,
    invalid,
    not_found,
    terminating,
)
from reactor.sandbox.storage import Store, Stored, stored_form

_SUFFIX = "bcdfghjklmnpqrstvwxz2456789"
Reaction = Callable[[Resource, "Stored | None", Stored, bool], None]
Mutation = Callable[[Document], Document]


class Target(msgspec.Struct, frozen=True):
    """The object an operation is about, in the version the client speaks."""

    resource: Resource
    version: Version
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    @property
    def api_version(self) -> str:
        return self.resource.api_version(self.version.name)

    @property
    def path(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


class Options(msgspec.Struct, frozen=True):
    """Query parameters of a write."""

    manager: str = "unknown"
    dry_run: bool = False
    validation: str = "Ignore"


class Outcome(msgspec.Struct, frozen=True):
    """What a write left behind."""

    stored: Stored
    created: bool = False
    warnings: tuple[str, ...] = ()
    # False while finalizers keep a deleted object.
    gone: bool = False


class Objects:
    """All writes, atomic: nothing here awaits. Raises StatusError."""

    def __init__(
        self, *, store: Store, registry: Registry, clock: Callable[[], datetime] | None = None
    ) -> None:
        self._store = store
        self._registry = registry
        self._clock = clock or (lambda: datetime.now(UTC))
        self._defaults = Defaults()
        # Called after each write, in order: definitions, namespaces, garbage.
        self.reactions: list[Reaction] = []

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
        metadata = self._envelope(target, document)
        if metadata.get("resourceVersion"):
            raise StatusError(
                500, "", "resourceVersion should not be set on objects to be created", details={}
            )
        generated = not metadata.get("name") and bool(metadata.get("generateName"))
        if generated:
            ending = "".join(secrets.choice(_SUFFIX) for _ in range(5))
            metadata["name"] = metadata["generateName"][:58] + ending
        place = msgspec.structs.replace(target, name=metadata.get("name") or "")
        self._admit(place)
        for field in ("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"):
            metadata.pop(field, None)
        metadata["uid"] = str(uuid.uuid4())
        metadata["creationTimestamp"] = self.now()
        metadata.pop("generation", None)
        if resource.generation:
            metadata["generation"] = 1
        if target.version.status and (resource.custom or resource.plural != "namespaces"):
            document.pop("status", None)
        warnings = self._shape(place, document, None, options)
        if self.find(place) is not None:
            raise already_exists(resource.subject(place.name))
        if options.manager:
            zero = {"apiVersion": "", "kind": "", **copy(resource.zero)}
            self._own(place, zero, document, options)
        return Outcome(
            self._write(place, None, document, dry=options.dry_run), True, tuple(warnings)
        )

    def update(self, target: Target, change: Mutation, options: Options) -> Outcome:
        """Replace an object with what `change` makes of a copy of it."""
        resource = target.resource
        held = self.get(target)
        old = held.document(target.api_version, resource.kind)
        document = change(copy(old))
        metadata = self._envelope(target, document)
        before = old["metadata"]
        if metadata.get("name") != target.name:
            raise bad_request(
                f"the name of the object ({metadata.get('name', '')}) does not match the name on "
                f"the URL ({target.name})"
            )
        self._preconditions(target, metadata, before)
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
        self._divide(target, document, old)
        warnings = self._shape(target, document, old, options)
        self._own(target, old, document, options)
        if _same(old, document):
            return Outcome(held, warnings=tuple(warnings))
        if not target.subresource and self._changed(resource, old, document):
            metadata["generation"] = before.get("generation", 0) + 1
        if metadata.get("deletionTimestamp") and not self._kept(resource, document):
            if not options.dry_run:
                self._remove(resource, held)
            return Outcome(held, gone=True)
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
        subject = target.resource.subject(target.name)
        if uid and uid != held.uid:
            raise conflict(
                subject,
                f"Precondition failed: UID in precondition: {uid}, UID in object meta: {held.uid}",
            )
        if version and version != str(held.version):
            raise conflict(
                subject,
                f"Precondition failed: ResourceVersion in precondition: {version}, "
                f"ResourceVersion in object meta: {held.version}",
            )
        resource = target.resource
        document = held.document(resource.api_version(resource.storage), resource.kind)
        metadata = document["metadata"]
        if propagation == "Orphan" and not dry_run:
            self._orphan(held.uid)
        if not self._kept(resource, document):
            return Outcome(held if dry_run else self._remove(resource, held), gone=True)
        if metadata.get("deletionTimestamp"):
            return Outcome(held)
        metadata["deletionTimestamp"] = self.now()
        metadata["deletionGracePeriodSeconds"] = 0
        if resource.generation:
            metadata["generation"] = metadata.get("generation", 0) + 1
        if resource.key == ("", "namespaces"):
            metadata.pop("deletionGracePeriodSeconds")
            document.setdefault("status", {})["phase"] = "Terminating"
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

    def _envelope(self, target: Target, document: Document) -> Document:
        """Check what every document must say about itself; its metadata."""
        kind, api_version = document.get("kind"), document.get("apiVersion")
        if (kind or target.resource.kind) != target.resource.kind or (
            api_version or target.api_version
        ) != target.api_version:
            group, _, version = (api_version or "").rpartition("/")
            said = f"{kind or ''}.{version}{'.' + group if group else ''}"
            meant = f"{target.resource.kind}.{target.version.name}"
            meant += f".{target.resource.group}" if target.resource.group else ""
            raise bad_request(
                f"the API version in the data ({api_version or ''}) does not match the expected "
                f"API version ({target.api_version})"
                if kind == target.resource.kind
                else f"{said} in version {target.version.name!r} cannot be handled as a {meant}"
            )
        document["kind"] = target.resource.kind
        document["apiVersion"] = target.api_version
        metadata = document.setdefault("metadata", {})
        if not isinstance(metadata, dict):
            raise bad_request("metadata in body must be of type object")
        if target.resource.namespaced:
            if metadata.setdefault("namespace", target.namespace) != target.namespace:
                raise bad_request(
                    "the namespace of the provided object does not match the namespace sent on "
                    "the request"
                )
        else:
            metadata.pop("namespace", None)
        for field in ("labels", "annotations", "finalizers", "ownerReferences"):
            if field in metadata and not metadata[field]:
                del metadata[field]
        return metadata

    def _admit(self, target: Target) -> None:
        """The namespace must be there, and not on its way out."""
        if not target.namespace:
            return
        spaces = self._registry.get("", "namespaces")
        held = self._store.table(("", "namespaces")).objects.get(target.namespace)
        if held is None or spaces is None:
            raise not_found(
                msgspec.structs.replace(
                    target.resource.subject(), group="", kind="namespaces", name=target.namespace
                )
            )
        if held.document("v1", "Namespace")["metadata"].get("deletionTimestamp"):
            raise terminating(target.resource.subject(target.name), target.namespace)

    def _preconditions(self, target: Target, metadata: Document, before: Document) -> None:
        resource = target.resource
        asked = metadata.get("resourceVersion")
        if not asked or asked == "0":
            if not resource.unconditional_update:
                raise invalid(
                    resource.kind_subject(target.name),
                    [
                        names.refused(
                            "metadata.resourceVersion", 0, "must be specified for an update"
                        )
                    ],
                )
        elif asked != before["resourceVersion"]:
            raise conflict(resource.subject(target.name))
        uid = metadata.get("uid")
        if uid and uid != before["uid"]:
            raise conflict(
                resource.subject(target.name),
                f"Precondition failed: UID in precondition: {uid}, "
                f"UID in object meta: {before['uid']}",
            )

    def _divide(self, target: Target, document: Document, old: Document) -> None:
        """The main endpoint keeps the old status; /status changes nothing but the status."""
        if not target.version.status:
            return
        if target.subresource == "status":
            status = document.get("status")
            metadata = document["metadata"]
            document.clear()
            document.update(copy(old))
            document["metadata"]["managedFields"] = metadata.get("managedFields", [])
            if status is None:
                document.pop("status", None)
            else:
                document["status"] = status
        elif target.subresource != "finalize":
            document.pop("status", None)
            if "status" in old:
                document["status"] = copy(old["status"])

    def _shape(
        self, target: Target, document: Document, old: Document | None, options: Options
    ) -> list[str]:
        """Prune, fill in, validate; the warnings."""
        resource, schema = target.resource, target.version.schema
        dropped = validation.prune(document, schema)
        warnings: list[str] = []
        if dropped and options.validation == "Strict":
            told = ", ".join(f'unknown field "{path}"' for path in dropped)
            raise bad_request(
                f"{resource.kind} in version {_quoted(target.version.name)} cannot be handled as "
                f"a {resource.kind}: strict decoding error: {told}"
            )
        if dropped and options.validation == "Warn":
            warnings = [f'unknown field "{path}"' for path in dropped]
        if resource.custom:
            validation.fill(document, schema)
        else:
            self._defaults.fill(resource.key, document, old)
        causes: list[Cause] = names.check(
            document, plural=resource.plural, group=resource.group, free=resource.free_names
        )
        causes.extend(validation.validate(document, schema))
        if causes:
            raise invalid(resource.kind_subject(document["metadata"].get("name", "")), causes)
        return warnings

    def _own(self, target: Target, old: Document, new: Document, options: Options) -> None:
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


def _quoted(text: str) -> str:
    return f'"{text}"'
