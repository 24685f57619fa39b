"""Flagger, fluxcd/flagger pkg/router/smi.go, smi_v1alpha2.go and smi_v1alpha3.go.

It reads the split, and puts the whole object back with other backends: canary first.
"""

from __future__ import annotations

import copy

from tests.cluster.api import Api, Object
from tests.writers.client import Client, controlled_by, quantity, typed

AGENT = "flagger/v0.0.0 (linux/amd64) kubernetes/$Format"
MANAGER = "flagger"


class Flagger:
    """One Canary whose target is ``name``; the split has the name of the apex service."""

    def __init__(self, api: Api, namespace: str, name: str, *, version: str) -> None:
        self._client = Client(api, namespace, version=version, agent=AGENT)
        self._name = name
        self._group_version = f"split.smi-spec.io/{version}"
        self._weight = quantity if version == "v1alpha1" else int

    async def reconcile(self) -> None:
        """Creates the split; puts the spec back if anything but weights differs from it."""
        spec: Object = {"service": self._name, "backends": self._backends(primary=100, canary=0)}
        live = await self._client.find(self._name)
        if live is None:
            namespace = self._client.namespace
            body = typed("TrafficSplit", self._group_version, self._name, namespace, spec)
            owner = controlled_by("Canary", "flagger.app/v1beta1", self._name)
            body["metadata"]["ownerReferences"] = [owner]
            await self._client.create(body)
        elif _weightless(live["spec"]) != _weightless(spec):
            await self._client.update({**live, "spec": spec})

    async def set_routes(self, *, primary: int, canary: int) -> None:
        """One step of the analysis: every time a PUT, even if nothing differs."""
        live = await self._client.find(self._name)
        assert live is not None
        live["spec"]["backends"] = self._backends(primary=primary, canary=canary)
        await self._client.update(live)

    def _backends(self, *, primary: int, canary: int) -> list[Object]:
        return [
            {"service": f"{self._name}-canary", "weight": self._weight(canary)},
            {"service": f"{self._name}-primary", "weight": self._weight(primary)},
        ]


def _weightless(spec: Object) -> Object:
    bare = copy.deepcopy(spec)
    for backend in bare["backends"]:
        backend.pop("weight")
    return bare
