"""What the server says of itself: /version, /api, /apis, and the resources of each group."""

from __future__ import annotations

from typing import Any

from reactor.sandbox.documents import Document
from reactor.sandbox.registry import Registry, Resource, Version, priority

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_CUSTOM_VERBS = (
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "create",
    "update",
    "watch",
)
VERSION: Document = {
    "major": "1",
    "minor": "36",
    "emulationMajor": "1",
    "emulationMinor": "36",
    "minCompatibilityMajor": "1",
    "minCompatibilityMinor": "35",
    "gitVersion": "v1.36.3",
    "gitCommit": "sandbox",
    "gitTreeState": "",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "none",
    "compiler": "none",
    "platform": "linux/amd64",
}


def api_versions(address: str) -> Document:
    """The body of /api."""
    where = [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": where}


def group_list(registry: Registry) -> Document:
    """The body of /apis."""
    groups = [_group(name, versions) for name, versions in registry.groups().items() if name]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def group(registry: Registry, name: str) -> Document | None:
    """The body of /apis/GROUP, or None when the group isn't served."""
    versions = registry.groups().get(name)
    if not name or not versions:
        return None
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, versions)}


def resources(registry: Registry, name: str, version: str) -> Document | None:
    """The body of /api/v1 and /apis/GROUP/VERSION, or None when it isn't served."""
    found: list[Document] = []
    for resource in registry:
        served = resource.version(version)
        if resource.group == name and served is not None:
            found.extend(_entries(resource, served))
    if not found:
        return None
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": f"{name}/{version}" if name else version,
        "resources": sorted(found, key=lambda entry: str(entry["name"])),
    }


def aggregated(registry: Registry, *, core: bool) -> Document:
    """Everything at once, as newer clients ask for it."""
    items: list[Document] = []
    for name, versions in registry.groups().items():
        if bool(name) is core:
            continue
        told = [
            {
                "version": version,
                "freshness": "Current",
                "resources": [
                    _aggregated(resource, served)
                    for resource in registry
                    if resource.group == name and (served := resource.version(version))
                ],
            }
            for version in versions
        ]
        items.append({"metadata": {"name": name} if name else {}, "versions": told})
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": items,
    }


def _group(name: str, versions: list[str]) -> Document:
    told = [
        {"groupVersion": f"{name}/{version}", "version": version}
        for version in sorted(versions, key=priority)
    ]
    return {"name": name, "versions": told, "preferredVersion": told[0]}


def _entries(resource: Resource, version: Version) -> list[Document]:
    entry: Document = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": _verbs(resource),
    }
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    if "list" in resource.verbs:
        entry["storageVersionHash"] = f"sandbox-{resource.plural}"
    entries = [entry]
    entries.extend(
        {
            "name": f"{resource.plural}/{name}",
            "singularName": "",
            "namespaced": resource.namespaced,
            "kind": resource.kind,
            "verbs": verbs,
        }
        for name, verbs in _subresources(resource, version)
    )
    return entries


def _aggregated(resource: Resource, version: Version) -> Document:
    kind: dict[str, Any] = {
        "group": resource.group,
        "version": version.name,
        "kind": resource.kind,
    }
    entry: Document = {
        "resource": resource.plural,
        "responseKind": kind,
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": _verbs(resource),
    }
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    subresources = [
        {"subresource": name, "responseKind": kind, "verbs": verbs}
        for name, verbs in _subresources(resource, version)
    ]
    if subresources:
        entry["subresources"] = subresources
    return entry


def _verbs(resource: Resource) -> list[str]:
    """In the order in which each of the real servers tells them."""
    return list(_CUSTOM_VERBS) if resource.custom else list(resource.verbs)


def _subresources(resource: Resource, version: Version) -> list[tuple[str, list[str]]]:
    found = [("status", ["get", "patch", "update"])] if version.status else []
    if resource.key == ("", "namespaces"):
        found.insert(0, ("finalize", ["update"]))
    return found
