"""OpenAPI v3, as much as kubectl reads: which kinds take a PATCH with `fieldValidation`."""

from __future__ import annotations

from reactor.sandbox.documents import Document, copy
from reactor.sandbox.registry import Registry, Resource, Version


def index(registry: Registry) -> Document:
    """The body of /openapi/v3."""
    paths: Document = {}
    for group, versions in registry.groups().items():
        for version in versions:
            name = f"apis/{group}/{version}" if group else f"api/{version}"
            paths[name] = {"serverRelativeURL": f"/openapi/v3/{name}?hash=sandbox"}
    return {"paths": paths}


def document(registry: Registry, group: str, version: str) -> Document | None:
    """The body of /openapi/v3/api/v1 or /openapi/v3/apis/GROUP/VERSION."""
    served = [
        (resource, found)
        for resource in registry
        if resource.group == group and (found := resource.version(version))
    ]
    if not served:
        return None
    paths: Document = {}
    schemas: Document = {}
    for resource, found in served:
        kind = {"group": group, "kind": resource.kind, "version": version}
        name = f"{group or 'core'}.{version}.{resource.kind}"
        schema = copy(found.schema) if found.schema else {"type": "object"}
        schema["x-kubernetes-group-version-kind"] = [kind]
        schemas[name] = schema
        paths[_path(resource, found)] = _operations(resource, kind, name)
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "v1.36.3"},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _path(resource: Resource, version: Version) -> str:
    base = f"/apis/{resource.group}/{version.name}" if resource.group else f"/api/{version.name}"
    space = "/namespaces/{namespace}" if resource.namespaced else ""
    name = "" if resource.verbs == ("create",) else "/{name}"
    return f"{base}{space}/{resource.plural}{name}"


def _operations(resource: Resource, kind: Document, name: str) -> Document:
    parameters = [
        {
            "name": parameter,
            "in": "query",
            "schema": {"type": "string", "uniqueItems": True},
        }
        for parameter in ("dryRun", "fieldManager", "fieldValidation")
    ]
    answer = {
        "200": {
            "description": "OK",
            "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}},
        }
    }
    verb = "post" if resource.verbs == ("create",) else "patch"
    return {
        verb: {
            "x-kubernetes-action": verb,
            "x-kubernetes-group-version-kind": kind,
            "parameters": parameters,
            "responses": answer,
        }
    }
