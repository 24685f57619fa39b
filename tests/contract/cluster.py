"""A cluster as the contract tests see it, whichever server answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from reactor.events import Observed, Synced
from reactor.sandbox.server import Sandbox
from tests.cluster.api import (
    EVENTS,
    NAMESPACES,
    SERVICEPROFILES,
    SERVICES,
    TRAFFICSPLITS,
    Api,
    Object,
)
from tests.cluster.control_plane import ControlPlane
from tests.contract.adaptor import Adaptor, Row
from tests.contract.waiting import PATIENCE, until_async

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
    _marks: int = 0

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

    async def set_weights(
        self, name: str, weights: Weights, *, field_manager: str = "tests"
    ) -> Object:
        """Replace a split's backends."""
        backends = [{"service": leaf, "weight": weight} for leaf, weight in weights]
        return await self.patch_split(name, {"backends": backends}, field_manager=field_manager)

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

    async def wait_profile(self, service: str, timeout: float = PATIENCE) -> Object:
        """Wait until the service has a profile."""
        found = await self.api.wait_for(
            SERVICEPROFILES,
            self.authority(service),
            self.namespace,
            lambda live: live is not None,
            timeout=timeout,
        )
        assert found is not None
        return found

    def overrides(self, weights: Sequence[tuple[str, str]]) -> list[Object]:
        """What dstOverrides should hold."""
        return [{"authority": self.authority(leaf), "weight": weight} for leaf, weight in weights]

    async def wait_overrides(
        self, service: str, weights: Sequence[tuple[str, str]], timeout: float = PATIENCE
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

    async def wait_no_profile(self, service: str, timeout: float = PATIENCE) -> None:
        """Wait until the service has no profile."""
        await self.api.wait_for(
            SERVICEPROFILES,
            self.authority(service),
            self.namespace,
            lambda live: live is None,
            timeout=timeout,
        )

    async def wait_event(
        self,
        reason: str,
        split: str,
        accept: Callable[[Object], object] = lambda _: True,
        timeout: float = PATIENCE,
    ) -> Object:
        """Wait for a Kubernetes Event on a split."""

        def fits(event: Object) -> bool:
            named = event.get("reason") == reason and event["involvedObject"].get("name") == split
            return bool(named and accept(event))

        async with asyncio.timeout(timeout):
            async with aclosing(
                self.api.watch(EVENTS, self.namespace, resource_version="0")
            ) as events:
                async for event in events:
                    found: Object = event["object"]
                    if event["type"] != "BOOKMARK" and fits(found):
                        return found
        raise AssertionError("a watch does not end")

    async def settled(self, adaptor: Adaptor) -> None:
        """Wait until the adaptor has done with all that happened before this call.

        A split of a service nobody else names is seen after all splits before it, and its
        profile comes back after all profiles before it.
        """
        self._marks += 1
        service = f"mark-{self._marks}"
        name = self.authority(service)
        await self.create_split(service, service, [(service, 1)])
        await adaptor.event(Synced, lambda event: event.key == (self.namespace, service))
        await adaptor.event(Observed, lambda event: event.object.meta.name == name)
        await adaptor.idle()

    async def server_time(self) -> str:
        """The API server's clock in whole seconds, as it writes creationTimestamps."""
        body = self.split("clock", "clock", [("clock", 1)])
        status, found = await self.api.request(
            "POST",
            TRAFFICSPLITS.path(self.namespace),
            json_body=body,
            params={"dryRun": "All"},
        )
        assert status == 201, found
        return str(found["metadata"]["creationTimestamp"])

    async def next_second(self, timeout: float = PATIENCE) -> None:
        """Wait until what is created is younger than what is there."""
        now = await self.server_time()

        async def later() -> bool:
            return await self.server_time() != now

        await until_async(later, timeout)

    async def patch_profile(
        self, service: str, change: Object, *, field_manager: str = "tests"
    ) -> Object:
        """Merge-patch a profile as someone else."""
        return await self.api.patch(
            SERVICEPROFILES,
            self.authority(service),
            change,
            self.namespace,
            field_manager=field_manager,
        )

    async def meddle(
        self, service: str, weights: Sequence[tuple[str, str]], *, field_manager: str = "tests"
    ) -> Object:
        """Overwrite a profile's overrides as someone else."""
        return await self.patch_profile(
            service,
            {"spec": {"dstOverrides": self.overrides(weights)}},
            field_manager=field_manager,
        )

    async def delete_profile(self, service: str) -> None:
        """Delete a profile as someone else."""
        await self.api.delete(SERVICEPROFILES, self.authority(service), self.namespace)

    async def lose_namespace(self) -> None:
        """Take the namespace away under what is in it, as a hasty finaliser does."""
        if self.sandbox is not None:
            self.sandbox.cluster.remove("namespaces", self.namespace)
            return
        await self.api.delete(NAMESPACES, self.namespace)
        body = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": self.namespace},
            "spec": {"finalizers": []},
        }
        await self.api.replace(NAMESPACES, body, subresource="finalize")

    async def changes(self, adaptor: Adaptor, service: str) -> list[Row]:
        """The log's observations of a profile that were not the adaptor's own doing."""
        await self.settled(adaptor)
        rows = await adaptor.rows(namespace=self.namespace, service=service)
        # A watch may overtake the answer to a write: then what it brings is no echo.
        own = {row["resource_version"] for row in rows if row["kind"] == "synced"}
        return [
            row
            for row in rows
            if row["kind"] == "observed"
            and row["detail"]["object"] == "serviceprofiles"
            and row["detail"]["type"] != "echo"
            and (row["resource_version"] not in own or row["detail"]["type"] == "deleted")
        ]

    async def events(self, split: str) -> list[Object]:
        """The Kubernetes Events on a split so far."""
        return [
            event
            for event in await self.api.items(EVENTS, self.namespace)
            if event["involvedObject"].get("name") == split
        ]

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
