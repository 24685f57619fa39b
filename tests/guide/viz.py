"""Linkerd's viz extension, as far as figures of traffic come from it."""

from __future__ import annotations

import asyncio

from tests.cluster.prometheus import Prometheus
from tests.cluster.proxies import Flow
from tests.guide.place import Place

_NAMESPACE, _POD = "linkerd-viz", "prometheus-0"
_VIZ = {"linkerd.io/extension": "viz"}


def install(place: Place, prometheus: Prometheus) -> None:
    """Its namespace and its Prometheus's pod, behind which a real Prometheus answers."""
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": _POD,
            "namespace": _NAMESPACE,
            "labels": {**_VIZ, "component": "prometheus"},
        },
        "spec": {"containers": [{"name": "prometheus", "image": "none.invalid/prometheus"}]},
    }
    namespace = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": _NAMESPACE, "labels": _VIZ},
    }
    place.shell.apply([namespace, pod])
    place.shell.run(f"kubectl wait -n {_NAMESPACE} --for=condition=Ready pod/{_POD} --timeout=30s")
    place.kubelet.serve(_NAMESPACE, _POD, {9090: prometheus.port})


def see_the_guides_traffic(prometheus: Prometheus, namespace: str) -> None:
    """What slow-cooker's proxy counts: one request a second, half of them to the failing leaf."""
    traffic = (
        Flow(namespace, "backend-svc"),
        Flow(namespace, "failing-svc", classification="failure"),
    )
    asyncio.run(prometheus.scrape(*traffic))
