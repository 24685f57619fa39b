"""Reads from the cluster what the checks judge."""

from __future__ import annotations

from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from reactor.check import kinds
from reactor.check.kinds import Definition, Deployment, Namespace, Pod, Route
from reactor.check.place import LABEL, NAME
from reactor.check.pods import ADAPTOR, SELECTOR
from reactor.errors import Retryable
from reactor.kube import objects
from reactor.kube.requests import Requests
from reactor.model import serviceprofile, trafficsplit

T = TypeVar("T")

_DEFINITION = f"{trafficsplit.PLURAL}.{trafficsplit.GROUP}"


class Cluster:
    """One method a question; each raises what the API server refuses it with."""

    def __init__(self, connection: Requests) -> None:
        self._connection = connection

    async def namespace(self, name: str) -> Namespace | None:
        """A namespace by its name."""
        return await self._one(f"/api/v1/namespaces/{quote(name)}", Namespace)

    async def labelled(self) -> list[Namespace]:
        """The namespaces that Linkerd takes for the extension's."""
        return await self._all("/api/v1/namespaces", Namespace, f"{LABEL}={NAME}")

    async def account(self, namespace: str) -> bool:
        """Whether the adaptor's ServiceAccount is there."""
        path = f"/api/v1/namespaces/{quote(namespace)}/serviceaccounts/{ADAPTOR}"
        return await objects.get(self._connection, path) is not None

    async def deployment(self, namespace: str) -> Deployment | None:
        """The adaptor's Deployment."""
        path = f"/apis/apps/v1/namespaces/{quote(namespace)}/deployments/{ADAPTOR}"
        return await self._one(path, Deployment)

    async def deployments(self) -> list[Deployment]:
        """Those of an adaptor in all namespaces, by its labels."""
        return await self._all(
            "/apis/apps/v1/deployments", Deployment, f"{LABEL}={NAME},{SELECTOR}"
        )

    async def pods(self, namespace: str) -> list[Pod]:
        """The adaptor's pods."""
        return await self._all(f"/api/v1/namespaces/{quote(namespace)}/pods", Pod, SELECTOR)

    async def definition(self) -> Definition | None:
        """TrafficSplit's definition."""
        path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{_DEFINITION}"
        return await self._one(path, Definition)

    async def split_versions(self) -> set[str]:
        """The versions in which splits are served; everybody may ask for that."""
        found = await objects.get(self._connection, f"/apis/{trafficsplit.GROUP}")
        return {str(one.get("version")) for one in (found or {}).get("versions") or ()}

    async def profile_resources(self) -> set[str]:
        """What Linkerd's group serves beside ServiceProfiles in their version."""
        path = f"/apis/{serviceprofile.GROUP}/{serviceprofile.VERSION}"
        found = await objects.get(self._connection, path)
        return {str(one.get("name")) for one in (found or {}).get("resources") or ()}

    async def routes(self, group: str) -> list[Route]:
        """HTTPRoutes of this group, in the version that the API server prefers."""
        found = await objects.get(self._connection, f"/apis/{group}")
        if found is None:
            return []
        for version in (found.get("preferredVersion"), *(found.get("versions") or ())):
            path = f"/apis/{group}/{(version or {}).get('version')}"
            listed = await objects.get(self._connection, path) or {}
            if any(one.get("name") == "httproutes" for one in listed.get("resources") or ()):
                return await self._all(f"{path}/httproutes", Route)
        return []

    async def allowed(self, path: str, review: dict[str, Any]) -> bool:
        """The answer to an access review."""
        answer = await objects.create(self._connection, path, review)
        return bool((answer.get("status") or {}).get("allowed"))

    async def _one(self, path: str, kind: type[T]) -> T | None:
        found = await objects.get(self._connection, path)
        return None if found is None else _read(found, kind, path)

    async def _all(self, path: str, kind: type[T], selector: str = "") -> list[T]:
        query = {"labelSelector": selector} if selector else {}
        return [
            _read(one, kind, path)
            async for one in objects.listed(self._connection, path, query=query)
        ]


def _read(found: dict[str, Any], kind: type[T], path: str) -> T:
    try:
        return kinds.read(found, kind)
    except msgspec.ValidationError as error:
        raise Retryable(f"GET {path}: the answer can't be read: {error}") from error
