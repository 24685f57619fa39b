"""Bare requests and the answers to compare them with: whole Status objects, word for word."""

from __future__ import annotations

from typing import Any

from tests.cluster.api import TRAFFICSPLITS, Object, Resource
from tests.contract.cluster import Cluster

MERGE = "application/merge-patch+json"
JSON = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
STALE = "00000000-0000-0000-0000-000000000000"
CONFIGMAPS = Resource("", "v1", "configmaps")
MODIFIED = (
    "the object has been modified; please apply your changes to the latest version and try again"
)
SPLIT = {"group": "split.smi-spec.io", "kind": "trafficsplits"}
SPLIT_KIND = {"group": "split.smi-spec.io", "kind": "TrafficSplit"}


class Wire:
    """Bare requests in the test's namespace."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.namespace = cluster.namespace

    def path(self, resource: Resource, name: str = "") -> str:
        path = resource.path(self.namespace)
        return f"{path}/{name}" if name else path

    async def post(
        self, resource: Resource, body: object, manager: str = "one", **params: str
    ) -> tuple[int, Object]:
        return await self.cluster.api.request(
            "POST",
            self.path(resource),
            json_body=body,
            params={"fieldManager": manager, **params},
        )

    async def patch(
        self,
        resource: Resource,
        name: str,
        body: object,
        manager: str = "one",
        kind: str = MERGE,
        **params: str,
    ) -> tuple[int, Object]:
        return await self.cluster.api.request(
            "PATCH",
            self.path(resource, name),
            json_body=body,
            headers={"Content-Type": kind},
            params={"fieldManager": manager, **params},
        )

    async def put(
        self, resource: Resource, name: str, body: object, manager: str = "one"
    ) -> tuple[int, Object]:
        return await self.cluster.api.request(
            "PUT", self.path(resource, name), json_body=body, params={"fieldManager": manager}
        )

    async def get(self, resource: Resource, name: str = "", **params: str) -> tuple[int, Object]:
        return await self.cluster.api.request("GET", self.path(resource, name), params=params)

    async def delete(
        self, resource: Resource, name: str, body: object = None, **params: str
    ) -> tuple[int, Object]:
        return await self.cluster.api.request(
            "DELETE", self.path(resource, name), json_body=body, params=params
        )

    async def split(self, name: str, **metadata: Any) -> Object:
        """A stored split of service `web`."""
        body = self.cluster.split(name, "web", [("a", 1), ("b", "500m")])
        body["metadata"].update(metadata)
        status, created = await self.post(TRAFFICSPLITS, body)
        assert status == 201, created
        return created


def owners(document: Object) -> dict[str, Object]:
    """Each manager's fields."""
    return {entry["manager"]: entry["fieldsV1"] for entry in document["metadata"]["managedFields"]}


def refusal(code: int, reason: str, message: str, **details: Any) -> tuple[int, Object]:
    body: Object = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
    }
    if details:
        body["details"] = details
    return code, body
