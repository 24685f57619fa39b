"""The command, on a real API server, with the figures of a real Prometheus."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.cluster import guide
from tests.cluster.api import Api, Object
from tests.cluster.control_plane import ControlPlane
from tests.cluster.guide import APEX, LEAF, host
from tests.cluster.kubelet import Kubelet
from tests.cluster.prometheus import Prometheus
from tests.cluster.proxies import Flow
from tests.cluster.resources import NAMESPACES, PODS

from .command import stat

TABLE = """\
NAME            APEX          LEAF          WEIGHT   SUCCESS      RPS   LATENCY_P50   LATENCY_P95   LATENCY_P99
backend-split   backend-svc   backend-svc      500   100.00%   0.5rps           1ms           1ms           1ms
backend-split   backend-svc   failing-svc      500     0.00%   0.5rps           1ms           1ms           1ms
"""  # noqa: E501  # the guide's own lines


def profile(namespace: str, *weights: tuple[str, str], apex: str = APEX) -> Object:
    overrides = [{"authority": host(name, namespace), "weight": text} for name, text in weights]
    return {
        "apiVersion": "linkerd.io/v1alpha2",
        "kind": "ServiceProfile",
        "metadata": {"name": host(apex, namespace), "namespace": namespace},
        "spec": {"dstOverrides": overrides},
    }


def guides_traffic(namespace: str) -> list[Flow]:
    return [Flow(namespace, APEX), Flow(namespace, LEAF, classification="failure")]


async def apply(admin: Api, *documents: Object) -> None:
    await admin.ensure(*documents)


@pytest_asyncio.fixture
async def guides_split(admin: Api, cluster_namespace: str) -> str:
    """The guide's sample, split and profile; the namespace they are in."""
    overrides = profile(cluster_namespace, (APEX, "500"), (LEAF, "500"))
    services = guide.services(cluster_namespace)
    await admin.ensure(*services, guide.split(cluster_namespace), overrides)
    return cluster_namespace


@pytest_asyncio.fixture
async def viz(
    admin: Api, kubelet: Kubelet, prometheus: Prometheus, cluster_namespace: str
) -> AsyncIterator[str]:
    """The viz extension's namespace, as far as `stat` looks for it; its Prometheus is real."""
    name = f"viz-{cluster_namespace}"
    labels = {"linkerd.io/extension": "viz"}
    metadata = {"name": name, "labels": labels}
    await admin.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    await kubelet.run(
        admin,
        name,
        "prometheus-0",
        ports={9090: prometheus.port},
        labels={**labels, "component": "prometheus"},
    )
    yield name
    kubelet.forget(name, "prometheus-0")
    await admin.delete(PODS, "prometheus-0", name, options={"gracePeriodSeconds": 0})
    # No controller finalises namespaces here: what it is looked for by has to go.
    await admin.patch(NAMESPACES, name, {"metadata": {"labels": {"linkerd.io/extension": None}}})


async def test_the_guides_table_comes_through_a_port_forward_to_viz(
    control_plane: ControlPlane, guides_split: str, viz: str, prometheus: Prometheus
) -> None:
    await prometheus.scrape(*guides_traffic(guides_split))
    ended = await stat(control_plane.admin_kubeconfig, "ts/backend-split", "-n", guides_split)
    assert (ended.out, ended.err, ended.code) == (TABLE, "", 0)
