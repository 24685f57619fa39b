"""Requests as a writer's own client makes them: its User-Agent, its content types."""

from __future__ import annotations

from tests.cluster.api import TRAFFICSPLITS, Api, ApiError, Object, Resource

MERGE = "application/merge-patch+json"


class Client:
    """Splits of one namespace, in one version, as one program."""

    def __init__(
        self, api: Api, namespace: str, *, version: str, agent: str, field_manager: str = ""
    ) -> None:
        self.namespace = namespace
        self.resource: Resource = TRAFFICSPLITS.at(version)
        self._api = api
        self._agent = agent
        self._query = {"fieldManager": field_manager} if field_manager else {}

    async def find(self, name: str) -> Object | None:
        """A split, or None."""
        try:
            return await self._send("GET", name)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    async def create(self, body: Object) -> Object:
        """POST."""
        return await self._send("POST", None, body)

    async def update(self, body: Object) -> Object:
        """PUT, with the version that it was read at."""
        return await self._send("PUT", body["metadata"]["name"], body)

    async def merge(self, name: str, patch: Object) -> Object:
        """A JSON merge patch."""
        return await self._send("PATCH", name, patch, content_type=MERGE)

    async def _send(
        self, method: str, name: str | None, body: object = None, *, content_type: str = ""
    ) -> Object:
        headers = {"User-Agent": self._agent}
        if content_type:
            headers["Content-Type"] = content_type
        path = self.resource.path(self.namespace, name)
        query = self._query if body is not None else {}
        status, answer = await self._api.request(
            method, path, json_body=body, headers=headers, params=query
        )
        if status > 399:
            raise ApiError(status, answer, f"{method} {path}")
        return answer


def typed(kind: str, version: str, name: str, namespace: str, spec: Object) -> Object:
    """A new object as Go's typed clients encode it."""
    return {
        "kind": kind,
        "apiVersion": version,
        "metadata": {"name": name, "namespace": namespace, "creationTimestamp": None},
        "spec": spec,
    }


def controlled_by(kind: str, group_version: str, name: str) -> Object:
    """What metav1.NewControllerRef makes."""
    return {
        "apiVersion": group_version,
        "kind": kind,
        "name": name,
        "uid": "7a6f1a52-3a49-4d6e-9a37-2f6d0d0b1c11",
        "controller": True,
        "blockOwnerDeletion": True,
    }


def quantity(number: int) -> str:
    """resource.NewQuantity(number, resource.DecimalExponent) in JSON."""
    exponent = 0
    while number and number % 1000 == 0:
        number //= 1000
        exponent += 3
    return f"{number}e{exponent}" if exponent else str(number)
