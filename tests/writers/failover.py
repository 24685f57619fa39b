"""linkerd-failover, linkerd/linkerd-failover controller/src/traffic_split.rs.

It merges all backends with weights of 0 and 1 into a split that its user made, and only if one
differs; its patch has a stray `name` beside `spec`.
"""

from __future__ import annotations

from collections.abc import Collection

from tests.cluster.api import Api
from tests.writers.client import Client

AGENT = "linkerd-failover"
MANAGER = "failover.linkerd.io"
PRIMARY = "failover.linkerd.io/primary-service"
SELECTOR = "failover.linkerd.io/controlled-by"


class Failover:
    """The controller of one namespace; it knows v1alpha2 only."""

    def __init__(self, api: Api, namespace: str) -> None:
        self._client = Client(
            api, namespace, version="v1alpha2", agent=AGENT, field_manager=MANAGER
        )

    async def update(self, name: str, *, ready: Collection[str]) -> bool:
        """Endpoints of these services are ready now; whether it wrote."""
        live = await self._client.find(name)
        assert live is not None
        primary = live["metadata"]["annotations"][PRIMARY]
        backends = []
        for backend in live["spec"]["backends"]:
            service = backend["service"]
            active = service == primary if primary in ready else service in ready
            backends.append({"service": service, "weight": int(active)})
        if backends == live["spec"]["backends"]:
            return False
        patch = {
            "apiVersion": "split.smi-spec.io/v1alpha2",
            "kind": "TrafficSplit",
            "name": name,
            "spec": {"backends": backends},
        }
        await self._client.merge(name, patch)
        return True
