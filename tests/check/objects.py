"""Objects as the API server gives them, decoded as the checks do."""

from __future__ import annotations

from typing import Any

from reactor.check import kinds
from reactor.check.kinds import Deployment, Namespace, Pod, Route

NAMESPACE = "linkerd-smi"
OURS = "ghcr.io/linkerd-smi-reactor/smi-adaptor:0.1.0"
GO = "cr.l5d.io/linkerd/smi-adaptor:v0.2.7"


def namespace(name: str, **labels: str) -> Namespace:
    return kinds.read({"metadata": {"name": name, "labels": labels}}, Namespace)


def labelled(name: str) -> Namespace:
    return namespace(name, **{"linkerd.io/extension": "smi"})


def container(name: str = "smi-adaptor", image: str = OURS, **more: Any) -> dict[str, Any]:
    return {"name": name, "image": image, **more}


def deployment(
    *containers: dict[str, Any],
    namespace: str = NAMESPACE,
    replicas: int | None = 1,
    volumes: list[dict[str, Any]] | None = None,
    annotations: dict[str, str] | None = None,
) -> Deployment:
    """The adaptor's Deployment; with one container of ours when none is given."""
    spec = {"containers": list(containers) or [container()], "volumes": volumes}
    return kinds.read(
        {
            "metadata": {
                "name": "smi-adaptor",
                "namespace": namespace,
                "annotations": annotations,
            },
            "spec": {"replicas": replicas, "template": {"spec": spec}},
        },
        Deployment,
    )


def status(name: str, ready: bool = True, **state: Any) -> dict[str, Any]:
    return {"name": name, "ready": ready, "state": state or {"running": {}}}


def pod(
    *statuses: dict[str, Any],
    name: str = "smi-adaptor-1",
    phase: str = "Running",
    proxy: str | None = "containers",
    deleted: bool = False,
    **more: Any,
) -> Pod:
    """A pod of the adaptor; ``proxy`` says among which containers Linkerd's is, if any."""
    spec: dict[str, Any] = {"containers": [container()]}
    if proxy is not None:
        kind = "initContainers" if proxy == "init" else proxy
        spec.setdefault(kind, []).append({"name": "linkerd-proxy"})
    known = list(statuses) or [
        status("smi-adaptor"),
        *([status("linkerd-proxy")] if proxy else []),
    ]
    inits = [one for one in known if one["name"] == "linkerd-proxy" and proxy == "init"]
    return kinds.read(
        {
            "metadata": {
                "name": name,
                "namespace": NAMESPACE,
                "deletionTimestamp": "2026-01-01T00:00:00Z" if deleted else None,
            },
            "spec": spec,
            "status": {
                "phase": phase,
                "initContainerStatuses": inits,
                "containerStatuses": [one for one in known if one not in inits],
                **more,
            },
        },
        Pod,
    )


def route(*parents: dict[str, Any], name: str = "canary", namespace: str = "shop") -> Route:
    return kinds.read(
        {
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"parentRefs": list(parents)},
        },
        Route,
    )
