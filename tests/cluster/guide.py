"""The guide's sample application, as far as a cluster without nodes can hold it."""

from __future__ import annotations

from collections.abc import Mapping

from tests.cluster.api import Object

APEX, LEAF = "backend-svc", "failing-svc"
PORT = 8080


def services(namespace: str) -> list[Object]:
    """Both services, each with one EndpointSlice."""
    documents: list[Object] = []
    for name, address in ((APEX, "10.1.0.1"), (LEAF, "10.1.0.2")):
        documents += [_service(name, namespace), _slice(name, namespace, address)]
    return documents


def split(namespace: str, weights: Mapping[str, object] | None = None) -> Object:
    """The guide's split, or the same one with other backends."""
    wanted = weights if weights is not None else {APEX: 500, LEAF: 500}
    return {
        "apiVersion": "split.smi-spec.io/v1alpha2",
        "kind": "TrafficSplit",
        "metadata": {"name": "backend-split", "namespace": namespace},
        "spec": {
            "service": APEX,
            "backends": [{"service": name, "weight": weight} for name, weight in wanted.items()],
        },
    }


def host(service: str, namespace: str) -> str:
    """The name by which Linkerd knows a service."""
    return f"{service}.{namespace}.svc.cluster.local"


def _service(name: str, namespace: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": {"app": name}, "ports": [{"name": "http", "port": PORT}]},
    }


def _slice(name: str, namespace: str, address: str) -> Object:
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": f"{name}-1",
            "namespace": namespace,
            "labels": {"kubernetes.io/service-name": name},
        },
        "addressType": "IPv4",
        "ports": [{"name": "http", "port": PORT, "protocol": "TCP"}],
        "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
    }
