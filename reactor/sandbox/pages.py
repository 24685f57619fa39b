"""Paths that name no resource: version, health, discovery, OpenAPI."""

from __future__ import annotations

from reactor.sandbox import answer, discovery, openapi, status
from reactor.sandbox.answer import Answer
from reactor.sandbox.documents import Document
from reactor.sandbox.registry import Registry

_HEALTH = ("/healthz", "/livez", "/readyz")


def page(registry: Registry, path: str, accept: str, host: str) -> Answer | None:
    """The page at a path; None where there is none."""
    parts = [part for part in path.split("/") if part]
    if path.rstrip("/") in _HEALTH or (parts and "/" + parts[0] in _HEALTH and len(parts) == 2):
        return Answer(200, b"ok", content_type="text/plain; charset=utf-8")
    if parts == ["version"]:
        return answer.of_document(discovery.VERSION)
    if parts in (["api"], ["apis"]) and "as=APIGroupDiscoveryList" in accept and "v=v2" in accept:
        found = answer.of_document(discovery.aggregated(registry, core=parts == ["api"]))
        return Answer(200, found.body, content_type=discovery.AGGREGATED)
    if parts == ["openapi", "v2"]:
        return None
    return _told(_document(registry, parts, host))


def _document(registry: Registry, parts: list[str], host: str) -> Document | None:
    match parts:
        case ["api"]:
            return discovery.api_versions(host)
        case ["api", version]:
            found = discovery.resources(registry, "", version)
            if found is None:
                raise status.unknown_path()
            return found
        case ["apis"]:
            return discovery.group_list(registry)
        case ["apis", group]:
            return discovery.group(registry, group)
        case ["apis", group, version]:
            return discovery.resources(registry, group, version)
        case ["openapi", "v3"]:
            return openapi.index(registry)
        case ["openapi", "v3", "api", version]:
            return openapi.document(registry, "", version)
        case ["openapi", "v3", "apis", group, version]:
            return openapi.document(registry, group, version)
        case []:
            return {"paths": ["/api", "/apis", "/healthz", "/openapi/v3", "/version"]}
    return None


def _told(document: Document | None) -> Answer | None:
    return None if document is None else answer.of_document(document)
