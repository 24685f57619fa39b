"""What the Go adaptor wrote: typed objects, whole, as the field manager smi-adaptor.

It created profiles, and later replaced them with all that it knew of them; it never deleted one.
"""

from __future__ import annotations

from collections.abc import Sequence

from tests.cluster.api import SERVICEPROFILES, Api, Object

MANAGER = "smi-adaptor"
Backends = Sequence[tuple[str, str]]


def profile(
    service: str, namespace: str, backends: Backends, *, domain: str = "cluster.local"
) -> Object:
    """The body of its create; weights are quantities in Kubernetes' canonical form."""
    return {
        "apiVersion": "linkerd.io/v1alpha2",
        "kind": "ServiceProfile",
        # Go writes the zero time of a struct that has no pointer to it.
        "metadata": {
            "name": f"{service}.{namespace}.svc.{domain}",
            "namespace": namespace,
            "creationTimestamp": None,
        },
        "spec": {"dstOverrides": _overrides(namespace, backends, domain)},
    }


def split(
    name: str,
    namespace: str,
    service: str,
    backends: Sequence[tuple[str, object]],
    *,
    version: str = "v1alpha2",
) -> Object:
    """A split as users applied it under the old definition: v1alpha2 took numbers alone."""
    return {
        "apiVersion": f"split.smi-spec.io/{version}",
        "kind": "TrafficSplit",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "service": service,
            "backends": [{"service": one, "weight": weight} for one, weight in backends],
        },
    }


async def write(
    api: Api, service: str, namespace: str, backends: Backends, *, domain: str = "cluster.local"
) -> Object:
    """Its sync of one split: creates the profile, or replaces the overrides of the one there."""
    wanted = profile(service, namespace, backends, domain=domain)
    present = await api.find(SERVICEPROFILES, wanted["metadata"]["name"], namespace)
    if present is None:
        return await api.create(SERVICEPROFILES, wanted, namespace, field_manager=MANAGER)
    present["spec"]["dstOverrides"] = wanted["spec"]["dstOverrides"]
    return await api.replace(SERVICEPROFILES, present, namespace, field_manager=MANAGER)


async def clear(api: Api, service: str, namespace: str, *, domain: str = "cluster.local") -> Object:
    """What it did when a split went while it ran: the profile stays, with no overrides."""
    name = f"{service}.{namespace}.svc.{domain}"
    present = await api.get(SERVICEPROFILES, name, namespace)
    present["spec"].pop("dstOverrides", None)
    return await api.replace(SERVICEPROFILES, present, namespace, field_manager=MANAGER)


def _overrides(namespace: str, backends: Backends, domain: str) -> list[Object]:
    return [
        {"authority": f"{backend}.{namespace}.svc.{domain}", "weight": weight}
        for backend, weight in backends
    ]
