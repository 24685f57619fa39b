"""The extension in a cluster, for uninstall to find, and other objects that bear its label."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.install.cluster import Cluster

Object = dict[str, Any]

KINDS = (
    "namespaces,customresourcedefinitions,serviceaccounts,clusterroles,clusterrolebindings,roles,"
    "rolebindings,deployments,configmaps,persistentvolumeclaims"
)


def split(namespace: str, name: str) -> Object:
    """One that sends all to `web`."""
    return {
        "apiVersion": "split.smi-spec.io/v1alpha2",
        "kind": "TrafficSplit",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"service": "web", "backends": [{"service": "web", "weight": 1}]},
    }


def labelled(kind: str, name: str, namespace: str | None = None, **more: Any) -> Object:
    """An object with Linkerd's label for us; ``more`` is metadata."""
    metadata = {"name": name, "labels": {"linkerd.io/extension": "smi"}, **more}
    if namespace is not None:
        metadata["namespace"] = namespace
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata}


class Installation:
    """The extension, and three splits in two namespaces; made anew when a test removed it.

    Each time in another namespace: no controller manager runs here, which would finish the old.
    """

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._number = 0
        self._there = False

    @property
    def namespace(self) -> str:
        """Where it is now."""
        return f"own-{self._number}"

    def ensure(self) -> None:
        """It is there."""
        if self._there:
            return
        self._number += 1
        printed = self.cluster.smi("install", "--ignore-cluster", "-n", self.namespace).out
        self.cluster.kubectl("apply", "-f", "-", stdin=printed)
        self.cluster.kubectl("wait", "--for=condition=Established", "crd", "--all")
        self.cluster.apply(
            split("default", "one"), split("kube-public", "two"), split("kube-public", "three")
        )
        self._there = True

    def remove(self) -> None:
        """Nothing bears our label any more, a namespace on its way out neither."""
        kinds = KINDS.replace("namespaces,customresourcedefinitions,", "")
        marked = ("-A", "-l", "linkerd.io/extension=smi")
        self.cluster.kubectl("delete", kinds, *marked, "--wait=false")
        self.cluster.kubectl("label", "crd,ns", *marked, "linkerd.io/extension-")
        self._there = False

    @contextmanager
    def beside(self, *objects: Object) -> Iterator[None]:
        """These objects are there as well, and lose our label afterwards."""
        self.cluster.apply(*objects)
        document = {"apiVersion": "v1", "kind": "List", "items": objects}
        try:
            yield
        finally:
            self.cluster.kubectl(
                *("label", "-f", "-", "linkerd.io/extension-"), stdin=json.dumps(document)
            )
