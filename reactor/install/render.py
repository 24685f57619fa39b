"""From values to objects: the same that `helm template` makes of the chart."""

from __future__ import annotations

from typing import Any

import msgspec

from reactor.errors import Fatal
from reactor.install import packed
from reactor.install.archive import archive
from reactor.install.definition import definition_for
from reactor.install.extras import claim, grafana_dashboard, network_policy, pod_monitor
from reactor.install.model import Adaptor, ArchiveValues, Audit, Values
from reactor.install.readers import binding
from reactor.install.schema import faults
from reactor.install.version import ASSUMED, Version
from reactor.install.volume import volume
from reactor.install.workload import LABEL, deployment

Object = dict[str, Any]
Tree = dict[str, Any]


def namespace_object(name: str) -> Object:
    """The extension's Namespace. Helm's users have theirs already, so the chart has none."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": LABEL}}


def render(tree: Tree, *, namespace: str, kube_version: Version = ASSUMED) -> list[Object]:
    """The chart's objects but for its hooks, in the order to apply them.

    ``tree`` holds the values after the chart's defaults have come to them. Fatal, naming the
    value, when the chart would refuse them.
    """
    for fault in faults(tree, packed.schema()):
        raise Fatal(f"values: {fault}", code=2)
    values = msgspec.convert(tree, Values)
    replicas = (values.adaptor or Adaptor()).replicas
    replicas = 1 if replicas is None else replicas
    audit = values.audit or Audit()
    disk = volume(audit, replicas=replicas)
    copied = archive(audit.archive or ArchiveValues())
    made = [
        definition_for(packed.definition(), kube_version),
        *_accounts_and_roles(values, namespace),
        deployment(values, namespace=namespace, volume=disk, archive=copied, replicas=replicas),
    ]
    if audit.readers:
        made.append(binding(audit.readers, namespace=namespace))
    if disk.made:
        made.append(claim(disk, namespace=namespace))
    if values.network_policy is not None and values.network_policy.enabled:
        linkerd = values.linkerd_namespace or "linkerd"
        made.append(
            network_policy(
                values.network_policy,
                namespace=namespace,
                linkerd_namespace=linkerd,
                archived=copied is not None,
            )
        )
    if values.pod_monitor is not None and values.pod_monitor.enabled:
        made.append(pod_monitor(values.pod_monitor, namespace=namespace))
    if values.grafana_dashboard is not None and values.grafana_dashboard.enabled:
        made.append(
            grafana_dashboard(
                values.grafana_dashboard, namespace=namespace, dashboard=packed.dashboard()
            )
        )
    return sorted(made, key=_place)


_ORDER = (
    "CustomResourceDefinition",
    "ServiceAccount",
    "ClusterRole",
    "ClusterRoleBinding",
    "Role",
    "RoleBinding",
    "NetworkPolicy",
    "ConfigMap",
    "PersistentVolumeClaim",
    "Deployment",
    "PodMonitor",
)


def _place(document: Object) -> tuple[int, str]:
    return _ORDER.index(document["kind"]), document["metadata"]["name"]


def _accounts_and_roles(values: Values, namespace: str) -> list[Object]:
    found = packed.roles()
    for document in found:
        if "namespace" in document["metadata"]:
            document["metadata"]["namespace"] = namespace
        for subject in document.get("subjects", ()):
            subject["namespace"] = namespace
        if document["kind"] == "ServiceAccount" and values.image_pull_secrets:
            document["imagePullSecrets"] = values.image_pull_secrets
    return found
