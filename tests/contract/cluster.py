"""A cluster as the contract tests see it, whichever server answers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from reactor.sandbox.server import Sandbox
from tests.cluster.api import (
    EVENTS,
    SERVICEPROFILES,
    SERVICES,
    TRAFFICSPLITS,
    Api,
    Object,
)
from tests.cluster.control_plane import ControlPlane
from tests.contract.adaptor import Adaptor

DOMAIN = "cluster.local"
Weights = Sequence[tuple[str, object]]


@dataclass
class Cluster:
    """An API server, a namespace of the test's own, and the adaptor's credentials."""

    kind: Literal["sandbox", "real"]
    api: Api
    namespace: str
    kubeconfig: Path
    directory: Path
    sandbox: Sandbox | None = None
    plane: ControlPlane | None = None
    adaptors: list[Adaptor] = field(default_factory=list)

    def adaptor(self, *flags: str, log: str = "log") -> Adaptor:
        """An adaptor that is stopped with the test; the same ``log`` is the same audit log."""
        directory = self.directory / log
        directory.mkdir(exist_ok=True)
        adaptor = Adaptor(kubeconfig=self.kubeconfig, directory=directory, flags=flags)
        self.adaptors.append(adaptor)
        return adaptor

    def authority(self, service: str) -> str:
        """The FQDN of a service here; also the name of its profile."""
        return f"{service}.{self.namespace}.svc.{DOMAIN}"

    def split(
        self, name: str, service: str, weights: Weights, *, version: str = "v1alpha1", **spec: Any
    ) -> Object:
        """A TrafficSplit's manifest."""
        return {
            "apiVersion": f"split.smi-spec.io/{version}",
            "kind": "TrafficSplit",
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": {
                "service": service,
                "backends": [{"service": leaf, "weight": weight} for leaf, weight in weights],
                **spec,
            },
        }

    async def create_split(
        self, name: str, service: str, weights: Weights, *, version: str = "v1alpha1", **spec: Any
    ) -> Object:
        """Create a split as its author would."""
        return await self.api.create(
            TRAFFICSPLITS.at(version),
            self.split(name, service, weights, version=version, **spec),
            self.namespace,
        )

    async def patch_split(self, name: str, spec: Object, *, field_manager: str = "tests") -> Object:
        """Merge-patch a split's spec."""
        return await self.api.patch(
            TRAFFICSPLITS, name, {"spec": spec}, self.namespace, field_manager=field_manager
        )

    async def set_weights(self, name: str, weights: Weights) -> Object:
        """Replace a split's backends."""
        backends = [{"service": leaf, "weight": weight} for leaf, weight in weights]
        return await self.patch_split(name, {"backends": backends})

    async def delete_split(self, name: str) -> None:
        """Delete a split."""
        await self.api.delete(TRAFFICSPLITS, name, self.namespace)

    async def create_services(self, *names: str, headless: bool = False) -> None:
        """Create Services that select nothing."""
        for name in names:
            spec: Object = {"ports": [{"name": "http", "port": 8080}]}
            if headless:
                spec["clusterIP"] = "None"
            await self.api.create(
                SERVICES,
                {
                    "apiVersion": "v1",
                    "kind": "Service",
                    "metadata": {"name": name, "namespace": self.namespace},
                    "spec": spec,
                },
                self.namespace,
            )

    async def profile(self, service: str) -> Object | None:
        """The live profile of a service."""
        return await self.api.find(SERVICEPROFILES, self.authority(service), self.namespace)

    def overrides(self, weights: Sequence[tuple[str, str]]) -> list[Object]:
        """What dstOverrides should hold."""
        return [{"authority": self.authority(leaf), "weight": weight} for leaf, weight in weights]

    async def wait_overrides(
        self, service: str, weights: Sequence[tuple[str, str]], timeout: float = 10.0
    ) -> Object:
        """Wait until the profile's overrides are exactly these; gives the profile."""
        wanted = self.overrides(weights)
        found = await self.api.wait_for(
            SERVICEPROFILES,
            self.authority(service),
            self.namespace,
            lambda live: live is not None and live.get("spec", {}).get("dstOverrides") == wanted,
            timeout=timeout,
        )
        assert found is not None
        return found

    async def wait_no_profile(self, service: str, timeout: float = 10.0) -> None:
        """Wait until the service has no profile."""
        await self.api.wait_for(
            SERVICEPROFILES,
            self.authority(service),
            self.namespace,
            lambda live: live is None,
            timeout=timeout,
        )

    async def wait_event(self, reason: str, split: str, timeout: float = 10.0) -> Object:
        """Wait for a Kubernetes Event on a split."""
        async with asyncio.timeout(timeout):
            async for event in self.api.watch(EVENTS, self.namespace, resource_version="0"):
                found: Object = event["object"]
                involved = found.get("involvedObject", {})
                if found.get("reason") == reason and involved.get("name") == split:
                    return found
        raise AssertionError("a watch does not end")

    async def create_profile(
        self, service: str, spec: Object, *, field_manager: str = "tests", **metadata: Any
    ) -> Object:
        """Create a profile as someone else."""
        return await self.api.create(
            SERVICEPROFILES,
            {
                "apiVersion": "linkerd.io/v1alpha2",
                "kind": "ServiceProfile",
                "metadata": {
                    "name": self.authority(service),
                    "namespace": self.namespace,
                    **metadata,
                },
                "spec": spec,
            },
            self.namespace,
            field_manager=field_manager,
        )
