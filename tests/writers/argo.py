"""Argo Rollouts, argoproj/argo-rollouts rollout/trafficrouting/smi/smi.go.

It computes a merge patch between the specs that it read and wants, and sends only the difference.
"""

from __future__ import annotations

from tests.cluster.api import Api, Object
from tests.writers.client import Client, controlled_by, quantity, typed

AGENT = "rollouts-controller/v0.0.0 (linux/amd64) kubernetes/$Format"
MANAGER = "rollouts-controller"


class Argo:
    """One Rollout; the split bears its name, and the root service is the stable one by default."""

    def __init__(
        self, api: Api, namespace: str, name: str, *, version: str, root: str = "stable"
    ) -> None:
        self._client = Client(api, namespace, version=version, agent=AGENT)
        self._name = name
        self._root = root
        self._group_version = f"split.smi-spec.io/{version}"
        self._weight = quantity if version == "v1alpha1" else int

    async def set_weight(self, canary: int, experiments: tuple[tuple[str, int], ...] = ()) -> bool:
        """Canary first, experiments, then what is left of 100 for stable; whether it wrote."""
        weights = [("canary", canary), *experiments]
        weights.append(("stable", 100 - sum(weight for _, weight in weights)))
        backends = [{"service": name, "weight": self._weight(weight)} for name, weight in weights]
        wanted: Object = {"service": self._root, "backends": backends}
        live = await self._client.find(self._name)
        if live is None:
            namespace = self._client.namespace
            body = typed("TrafficSplit", self._group_version, self._name, namespace, wanted)
            owner = controlled_by("Rollout", "argoproj.io/v1alpha1", self._name)
            body["metadata"]["ownerReferences"] = [owner]
            await self._client.create(body)
            return True
        # Go's types of the spec have no patch strategy: lists are sent whole.
        change = {key: value for key, value in wanted.items() if live["spec"].get(key) != value}
        if not change:
            return False
        await self._client.merge(self._name, {"spec": change})
        return True
