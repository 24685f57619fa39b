"""The Prometheus of Linkerd's viz extension, found by its labels."""

from __future__ import annotations

import msgspec

from reactor.kube import objects
from reactor.kube.requests import Requests
from reactor.stat.prometheus import NoFigures

PORT = 9090
_INSTEAD = "or name a Prometheus with --prometheus-url"
_VIZ = "linkerd.io/extension=viz"


class _Meta(msgspec.Struct):
    name: str
    deletion_timestamp: str | None = msgspec.field(default=None, name="deletionTimestamp")


class _Condition(msgspec.Struct):
    type: str
    status: str


class _Status(msgspec.Struct):
    conditions: list[_Condition] | None = None


class _Object(msgspec.Struct):
    metadata: _Meta
    status: _Status = msgspec.field(default_factory=_Status)

    @property
    def serves(self) -> bool:
        """Whether a pod is ready and stays."""
        ready = any(
            condition.type == "Ready" and condition.status == "True"
            for condition in self.status.conditions or ()
        )
        return ready and self.metadata.deletion_timestamp is None


async def pod(connection: Requests) -> tuple[str, str]:
    """Its namespace and name; NoFigures when there is none that could answer.

    Raises what the API server says to who may not look.
    """
    namespaces = await _listed(connection, "/api/v1/namespaces", _VIZ)
    if not namespaces:
        raise NoFigures(
            f"no namespace is labelled {_VIZ}: install Linkerd's viz extension"
            f" (`linkerd viz install | kubectl apply -f -`), {_INSTEAD}"
        )
    for namespace in namespaces:
        name = namespace.metadata.name
        path = f"/api/v1/namespaces/{name}/pods"
        for found in await _listed(connection, path, f"{_VIZ},component=prometheus"):
            if found.serves:
                return name, found.metadata.name
    names = ", ".join(namespace.metadata.name for namespace in namespaces)
    raise NoFigures(
        f"no pod with component=prometheus is ready in namespace {names}:"
        f" see `linkerd viz check`, {_INSTEAD}"
    )


async def _listed(connection: Requests, path: str, selector: str) -> list[_Object]:
    query = {"labelSelector": selector}
    return [
        msgspec.convert(found, _Object)
        async for found in objects.listed(connection, path, query=query)
    ]
