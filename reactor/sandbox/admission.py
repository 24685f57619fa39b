"""What a document must be before it is stored: checks, defaults, and what an endpoint may touch."""

from __future__ import annotations

from reactor.sandbox import names, typed, validation
from reactor.sandbox.defaults import Defaults
from reactor.sandbox.documents import Document, copy, dig, encode
from reactor.sandbox.status import (
    Cause,
    Subject,
    bad_request,
    conflict,
    invalid,
    not_found,
    other_uid,
    terminating,
)
from reactor.sandbox.storage import Store
from reactor.sandbox.target import Options, Target

_STANDARD = ("foregroundDeletion", "orphan", "kubernetes")


class Admission:
    """Checks and completes documents, in place. Raises StatusError."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.defaults = Defaults()

    def envelope(self, target: Target, document: Document, *, patching: bool = False) -> Document:
        """Check what every document must say about itself; its metadata."""
        kind, api_version = document.get("kind") or "", document.get("apiVersion") or ""
        resource = target.resource
        if resource.custom and not kind:
            told = encode(document).decode()
            raise bad_request(
                f"the object provided is unrecognized (must be of type {resource.kind}): "
                f"Object 'Kind' is missing in '{told}' ({told})"
            )
        said = api_version or ("" if resource.custom else target.api_version)
        if not isinstance(document.get("metadata") or {}, dict):
            raise bad_request("metadata in body must be of type object")
        if resource.custom and patching:
            self._identity(target, document, kind, said)
        if said != target.api_version:
            raise bad_request(
                f"the API version in the data ({api_version}) does not match the expected API "
                f"version ({target.api_version})"
            )
        if kind and kind != resource.kind:
            if resource.custom:
                self._identity(target, document, kind, said)
            raise bad_request(
                f'{kind} in version "{target.version.name}" cannot be handled as a '
                f"{resource.kind}: converting to {resource.kind} failed"
            )
        typed.check(resource, target.version.name, document)
        document["kind"] = target.resource.kind
        document["apiVersion"] = target.api_version
        metadata = document["metadata"] = document.get("metadata") or {}
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
        if target.resource.custom and metadata.get("managedFields") == []:
            # Only typed objects can tell an empty list from none.
            del metadata["managedFields"]
        return metadata

    def _identity(self, target: Target, document: Document, kind: str, api_version: str) -> None:
        """What a custom resource says of itself must be what it is."""
        causes = []
        if api_version != target.api_version:
            told = f"must be {target.api_version}"
            causes.append(names.refused("apiVersion", api_version, told))
        if kind != target.resource.kind:
            causes.append(names.refused("kind", kind, f"must be {target.resource.kind}"))
        if causes:
            group = api_version.rpartition("/")[0]
            name = (document.get("metadata") or {}).get("name") or ""
            raise invalid(Subject(group, kind, name), causes)

    def admit(self, target: Target) -> None:
        """The namespace must be there, and not on its way out."""
        if not target.namespace:
            return
        held = self._store.table(("", "namespaces")).objects.get(target.namespace)
        if held is None:
            raise not_found(Subject("", "namespaces", target.namespace))
        if held.document("v1", "Namespace")["metadata"].get("deletionTimestamp"):
            raise terminating(target.resource.subject(target.name), target.namespace)

    def preconditions(
        self, target: Target, metadata: Document, before: Document, *, patching: bool
    ) -> None:
        """The version and the uid that a document names must be those that are stored."""
        resource = target.resource
        uid = metadata.get("uid")
        if uid and uid != before["uid"] and not patching:
            raise other_uid(resource.subject(target.name), target.namespace, uid, before["uid"])
        asked = metadata.get("resourceVersion")
        if not asked or asked == "0":
            if not resource.unconditional_update:
                raise invalid(
                    resource.subject(target.name),
                    [
                        names.refused(
                            "metadata.resourceVersion", 0, "must be specified for an update"
                        )
                    ],
                )
        elif asked != before["resourceVersion"]:
            raise conflict(resource.subject(target.name))
        gone = metadata.get("deletionTimestamp")
        if gone and patching and gone != before.get("deletionTimestamp"):
            cause = names.refused("metadata.deletionTimestamp", gone, "field is immutable")
            raise invalid(resource.kind_subject(target.name), [cause, cause])
        if uid and uid != before["uid"] and patching:
            cause = names.refused("metadata.uid", uid, "field is immutable")
            raise invalid(resource.kind_subject(target.name), [cause, cause])

    def divide(self, target: Target, document: Document, old: Document) -> None:
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

    def shape(
        self, target: Target, document: Document, old: Document | None, options: Options
    ) -> list[str]:
        """Prune, fill in, validate; the warnings."""
        resource, schema = target.resource, target.version.schema
        dropped = validation.prune(document, schema)
        if not resource.custom:
            dropped = sorted(document.keys() - resource.top)
            for key in dropped:
                del document[key]
            _drop_nulls(document)
        warnings: list[str] = []
        if dropped and options.validation == "Strict":
            told = ", ".join(f'unknown field "{path}"' for path in dropped)
            raise bad_request(
                f'{resource.kind} in version "{target.version.name}" cannot be handled as '
                f"a {resource.kind}: strict decoding error: {told}"
            )
        if dropped and options.validation == "Warn":
            warnings = [f'unknown field "{path}"' for path in dropped]
        held = set(dig(old, "metadata", "finalizers") or ())
        warnings.extend(
            f'metadata.finalizers: "{finalizer}": prefer a domain-qualified finalizer name to '
            "avoid accidental conflicts with other finalizer writers"
            for finalizer in document["metadata"].get("finalizers") or ()
            if "/" not in finalizer and finalizer not in {*held, *_STANDARD}
        )
        if resource.custom:
            validation.fill(document, schema)
        else:
            self.defaults.fill(resource.key, document, old)
        causes: list[Cause] = names.check(
            document, plural=resource.plural, group=resource.group, free=resource.free_names
        )
        causes.extend(validation.validate(document, schema, old))
        if causes:
            raise invalid(resource.kind_subject(document["metadata"].get("name", "")), causes)
        return warnings


def _drop_nulls(document: Document) -> None:
    """Typed decoding takes null for absent."""
    for key, value in list(document.items()):
        if value is None:
            del document[key]
        elif isinstance(value, dict):
            _drop_nulls(value)
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, dict):
                    _drop_nulls(item)
