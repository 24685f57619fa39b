"""Which resources are served: built-in kinds, and those that CustomResourceDefinitions add."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from reactor.sandbox.documents import Document
from reactor.sandbox.shape import OBJECT, Shape, of_schema
from reactor.sandbox.status import Subject

VERBS = (
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "update",
    "watch",
)


class Column(msgspec.Struct, frozen=True):
    """A printer column: a dotted path, or a JSONPath of a CRD."""

    name: str
    type: str
    path: str
    priority: int = 0
    description: str = ""
    format: str = ""


class Version(msgspec.Struct, frozen=True):
    """One served version of a resource."""

    name: str
    schema: Document | None = None
    columns: tuple[Column, ...] = ()
    status: bool = False
    shape: Shape = OBJECT
    deprecated: str = ""


class Resource(msgspec.Struct, frozen=True):
    """One resource with its versions, the most preferred first."""

    group: str
    plural: str
    kind: str
    namespaced: bool
    versions: tuple[Version, ...]
    storage: str
    singular: str = ""
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = VERBS
    custom: bool = False
    list_kind: str = ""
    # The kind's empty Go object: fields in it are there before a create, so nobody adds them.
    zero: Document = {}
    # Top-level fields whose change bumps metadata.generation; none: the kind has no generation.
    generation: tuple[str, ...] = ()
    returns_deleted: bool = False
    unconditional_update: bool = True
    create_on_update: bool = False
    # Selectable fields besides metadata.name and metadata.namespace, as dotted paths.
    fields: tuple[str, ...] = ()
    # Top-level fields of a built-in kind; others are dropped, as typed decoding does.
    top: frozenset[str] = frozenset()
    # The name may be any path segment, not only a DNS subdomain (RBAC).
    free_names: bool = False

    @property
    def key(self) -> tuple[str, str]:
        return (self.group, self.plural)

    def subject(self, name: str = "") -> Subject:
        """The resource as a Status names it."""
        return Subject(self.group, self.plural, name)

    def kind_subject(self, name: str = "") -> Subject:
        """The kind as an Invalid status names it."""
        return Subject(self.group, self.kind, name)

    def api_version(self, version: str) -> str:
        return f"{self.group}/{version}" if self.group else version

    def version(self, name: str) -> Version | None:
        return next((version for version in self.versions if version.name == name), None)


class Registry:
    """All resources now served. One writer (the definitions), many readers."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._resources: dict[tuple[str, str], Resource] = {
            resource.key: resource for resource in resources
        }
        # Plurals that a fault script makes the server forget for a while.
        self.hidden: set[str] = set()

    def __iter__(self) -> Iterator[Resource]:
        return (found for found in self._resources.values() if found.plural not in self.hidden)

    def put(self, resource: Resource) -> None:
        self._resources[resource.key] = resource

    def drop(self, key: tuple[str, str]) -> None:
        self._resources.pop(key, None)

    def get(self, group: str, plural: str) -> Resource | None:
        return None if plural in self.hidden else self._resources.get((group, plural))

    def of_kind(self, group: str, kind: str) -> Resource | None:
        for resource in self:
            if resource.kind == kind and resource.group == group:
                return resource
        return None

    def groups(self) -> dict[str, list[str]]:
        """Each group with its served versions, preferred first."""
        found: dict[str, list[str]] = {}
        for resource in self:
            names = found.setdefault(resource.group, [])
            names.extend(v.name for v in resource.versions if v.name not in names)
        return {group: sorted(names, key=priority) for group, names in found.items()}


def priority(version: str) -> tuple[int, ...]:
    """Sort key of Kubernetes' version order: v2, v1, v1beta2, v1beta1, v1alpha1, then others."""
    body = version.removeprefix("v")
    for stage, rank in (("alpha", 2), ("beta", 1)):
        major, found, minor = body.partition(stage)
        if found and major.isdigit() and minor.isdigit():
            return (rank, -int(major), -int(minor))
    return (0, -int(body), 0) if body.isdigit() else (3, 0, 0)


def of_definition(crd: Mapping[str, Any]) -> Resource:
    """The resource that an (accepted) CustomResourceDefinition declares."""
    spec = crd["spec"]
    names = spec["names"]
    versions = []
    for entry in spec["versions"]:
        if not entry.get("served"):
            continue
        schema = (entry.get("schema") or {}).get("openAPIV3Schema")
        columns = tuple(
            Column(
                column["name"],
                column["type"],
                column["jsonPath"],
                column.get("priority", 0),
                column.get("description", ""),
                column.get("format", ""),
            )
            for column in entry.get("additionalPrinterColumns", ())
        )
        deprecated = ""
        if entry.get("deprecated"):
            deprecated = (
                entry.get("deprecationWarning")
                or f"{spec['group']}/{entry['name']} {names['kind']} is deprecated"
            )
        versions.append(
            Version(
                name=entry["name"],
                schema=schema,
                columns=columns,
                status="status" in (entry.get("subresources") or {}),
                shape=of_schema(schema),
                deprecated=deprecated,
            )
        )
    versions.sort(key=lambda version: priority(version.name))
    storage = next(entry["name"] for entry in spec["versions"] if entry.get("storage"))
    return Resource(
        group=spec["group"],
        plural=names["plural"],
        kind=names["kind"],
        namespaced=spec["scope"] == "Namespaced",
        versions=tuple(versions),
        storage=storage,
        singular=names.get("singular", names["kind"].lower()),
        short_names=tuple(names.get("shortNames", ())),
        categories=tuple(names.get("categories", ())),
        list_kind=names.get("listKind", names["kind"] + "List"),
        custom=True,
        generation=("*",),
        unconditional_update=False,
    )
