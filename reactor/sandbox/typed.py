"""The types that the server itself leans on: what doesn't have them is refused at the door."""

from __future__ import annotations

from typing import Any

import msgspec

from reactor.sandbox.documents import Document
from reactor.sandbox.registry import Resource, of_definition
from reactor.sandbox.status import Cause, bad_request, invalid

Map = dict[str, Any]


class _Owner(msgspec.Struct):
    uid: str = ""


class _Metadata(msgspec.Struct):
    name: str | None = None
    generateName: str | None = None
    namespace: str | None = None
    uid: str | None = None
    resourceVersion: str | None = None
    generation: int | None = None
    creationTimestamp: str | None = None
    deletionTimestamp: str | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    finalizers: list[str] | None = None
    ownerReferences: list[_Owner] | None = None
    managedFields: list[Map] | None = None


class _Object(msgspec.Struct):
    metadata: _Metadata | None = None


class _NamespaceSpec(msgspec.Struct):
    finalizers: list[str] | None = None


class _Specified(_Object):
    spec: Map | None = None
    status: Map | None = None


class _Namespace(_Specified):
    spec: _NamespaceSpec | None = None  # type: ignore[assignment]  # narrower than any map


class _ServiceSpec(msgspec.Struct):
    type: str | None = None
    clusterIP: str | None = None
    ports: list[Map] | None = None
    selector: dict[str, str] | None = None


class _Service(_Object):
    spec: _ServiceSpec | None = None
    status: Map | None = None


class _Container(msgspec.Struct):
    image: str = ""
    ports: list[Map] | None = None


class _PodSpec(msgspec.Struct):
    containers: list[_Container] | None = None
    initContainers: list[_Container] | None = None


class _Template(msgspec.Struct):
    metadata: _Metadata | None = None
    spec: _PodSpec | None = None


class _Strategy(msgspec.Struct):
    type: str | None = None
    rollingUpdate: Map | None = None


class _WorkloadSpec(msgspec.Struct):
    template: _Template | None = None
    strategy: _Strategy | None = None


class _Workload(_Object):
    spec: _WorkloadSpec | None = None
    status: Map | None = None


class _Pod(_Object):
    spec: _PodSpec | None = None
    status: Map | None = None


class _Data(_Object):
    data: dict[str, str] | None = None
    stringData: dict[str, str] | None = None


class _Rule(msgspec.Struct):
    verbs: list[str] | None = None
    apiGroups: list[str] | None = None
    resources: list[str] | None = None
    resourceNames: list[str] | None = None
    nonResourceURLs: list[str] | None = None


class _Subject(msgspec.Struct):
    kind: str = ""
    name: str = ""


class _Role(_Object):
    rules: list[_Rule] | None = None
    roleRef: dict[str, str] | None = None
    subjects: list[_Subject] | None = None


class _Status(msgspec.Struct):
    conditions: list[Map] | None = None
    storedVersions: list[str] | None = None


class _Names(msgspec.Struct):
    plural: str
    kind: str


class _Version(msgspec.Struct):
    name: str
    served: bool = False
    storage: bool = False


class _DefinitionSpec(msgspec.Struct):
    group: str
    scope: str
    names: _Names
    versions: list[_Version]


class _Definition(_Object, kw_only=True):
    spec: _DefinitionSpec
    status: _Status | None = None


class _AccessSpec(msgspec.Struct):
    user: str = ""
    groups: list[str] | None = None
    token: str = ""
    resourceAttributes: dict[str, str] | None = None
    nonResourceAttributes: dict[str, str] | None = None


class _Review(_Object):
    spec: _AccessSpec | None = None


class DeleteOptions(msgspec.Struct):
    """The body of a delete."""

    preconditions: dict[str, str] | None = None
    propagationPolicy: str | None = None
    dryRun: list[str] | None = None


_KINDS: dict[str, type[_Object]] = {
    "Namespace": _Namespace,
    "Service": _Service,
    "Deployment": _Workload,
    "ReplicaSet": _Workload,
    "Job": _Workload,
    "Pod": _Pod,
    "ConfigMap": _Data,
    "Secret": _Data,
    "ClusterRole": _Role,
    "ClusterRoleBinding": _Role,
    "Role": _Role,
    "RoleBinding": _Role,
    "CustomResourceDefinition": _Definition,
    "TokenReview": _Review,
    "SubjectAccessReview": _Review,
    "SelfSubjectAccessReview": _Review,
    "SelfSubjectReview": _Review,
}


def check(resource: Resource, version: str, document: Document) -> None:
    """Raises StatusError (400, or 422 for a definition that defines nothing)."""
    kind = _Object if resource.custom else _KINDS.get(resource.kind, _Specified)
    try:
        msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        raise bad_request(
            f'{resource.kind} in version "{version}" cannot be handled as a {resource.kind}: '
            f"json: cannot unmarshal: {error}"
        ) from error
    if issubclass(kind, _Definition):
        try:
            of_definition(document)
        # A schema has many parts, and any of them may be of the wrong type.
        except (AttributeError, KeyError, StopIteration, TypeError, ValueError) as error:
            name = (document.get("metadata") or {}).get("name") or ""
            cause = Cause("FieldValueInvalid", f"Invalid value: {error}", "spec.versions")
            raise invalid(resource.kind_subject(name), [cause]) from error
