"""The objects that values ask for: a claim, a PodMonitor, a dashboard, a NetworkPolicy."""

from __future__ import annotations

from typing import Any

from reactor.install.model import GrafanaDashboard, NetworkPolicy, PodMonitor
from reactor.install.volume import Volume
from reactor.install.workload import LABEL, SELECTOR, present

Object = dict[str, Any]


def claim(volume: Volume, *, namespace: str) -> Object:
    """The claim that holds the audit log."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            **_named("smi-adaptor-audit", namespace),
            # What was done to the cluster should be known after the release has gone, too.
            "annotations": {"helm.sh/resource-policy": "keep"},
        },
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            **present("storageClassName", volume.storage_class),
            "resources": {"requests": {"storage": volume.size}},
        },
    }


def pod_monitor(given: PodMonitor, *, namespace: str) -> Object:
    """What tells the Prometheus Operator to scrape the adaptor."""
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PodMonitor",
        "metadata": _named("smi-adaptor", namespace, given.labels),
        "spec": {
            "selector": {"matchLabels": SELECTOR},
            "podMetricsEndpoints": [
                {"port": "admin-http", "path": "/metrics", "interval": given.interval or "30s"}
            ],
        },
    }


def grafana_dashboard(given: GrafanaDashboard, *, namespace: str, dashboard: str) -> Object:
    """What Grafana's sidecar loads."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            **_named("smi-adaptor-dashboard", namespace, given.labels),
            **present("annotations", given.annotations),
        },
        "data": {"smi-adaptor.json": dashboard},
    }


def network_policy(
    given: NetworkPolicy, *, namespace: str, linkerd_namespace: str, archived: bool
) -> Object:
    """Who may reach the pods, and whom they may."""
    archive = {"ports": _tcp(*(given.archive_ports or [5432])), **present("to", given.archive_to)}
    servers = given.api_server_ports or [443, 6443]
    linkerd = {"matchLabels": {"kubernetes.io/metadata.name": linkerd_namespace}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": _named("smi-adaptor", namespace),
        "spec": {
            "podSelector": {"matchLabels": SELECTOR},
            "policyTypes": ["Ingress", "Egress"],
            # The admin port, and the proxy's: inbound, tap and admin.
            "ingress": [
                {"ports": _tcp(9995, 4143, 4190, 4191), **present("from", given.sources)},
            ],
            "egress": [
                # DNS and the API server, whose addresses nobody can know here.
                {"ports": [{"port": 53, "protocol": "UDP"}, *_tcp(53, *servers)]},
                # Linkerd's identity, destination and policy controllers, for the proxy.
                {"ports": _tcp(8080, 8086, 8090), "to": [{"namespaceSelector": linkerd}]},
                *([archive] if archived else ()),
            ],
        },
    }


def _named(name: str, namespace: str, labels: dict[str, str] | None = None) -> Object:
    return {"name": name, "namespace": namespace, "labels": {**(labels or {}), **LABEL}}


def _tcp(*ports: int) -> list[Object]:
    return [{"port": port, "protocol": "TCP"} for port in ports]
