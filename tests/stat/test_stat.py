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


async def test_all_splits_of_a_namespace_are_shown_by_name(
    admin: Api, control_plane: ControlPlane, guides_split: str, prometheus: Prometheus
) -> None:
    await admin.ensure(
        named(guide.split(guides_split, {"a-svc": 1}), "another-split", apex="other-svc")
    )
    await prometheus.scrape(*guides_traffic(guides_split), Flow(guides_split, "a-svc", rps=8.0))
    ended = await stat(
        control_plane.admin_kubeconfig,
        *("ts", "-n", guides_split, "-t=30s", "--prometheus-url", prometheus.url),
    )
    assert [line.split()[:6] for line in ended.out.splitlines()] == [
        ["NAME", "APEX", "LEAF", "WEIGHT", "SUCCESS", "RPS"],
        ["another-split", "other-svc", "a-svc", "1", "100.00%", "8.0rps"],
        ["backend-split", APEX, APEX, "500", "100.00%", "0.5rps"],
        ["backend-split", APEX, LEAF, "500", "0.00%", "0.5rps"],
    ]
    # The table stays the guide's; what is not in sync is told beside it.
    assert ended.err == (
        f"{guides_split}/another-split is out-of-sync:"
        f" serviceprofile/{host('other-svc', guides_split)} is not there yet\n"
    )


async def test_all_namespaces_have_a_column_of_their_own(
    control_plane: ControlPlane, guides_split: str, prometheus: Prometheus
) -> None:
    await prometheus.scrape(*guides_traffic(guides_split))
    # As with kubectl, -A wins over -n.
    arguments = ("-A", "-n", "default", "--prometheus-url", prometheus.url)
    ended = await stat(control_plane.admin_kubeconfig, "trafficsplits", *arguments)
    header, *lines = ended.out.splitlines()
    assert header.split()[:2] == ["NAMESPACE", "NAME"]
    assert [line.split() for line in lines if line.startswith(f"{guides_split} ")] == [
        [guides_split, *line.split()] for line in TABLE.splitlines()[1:]
    ]


async def test_what_is_applied_stands_beside_what_is_wanted(
    admin: Api, control_plane: ControlPlane, guides_split: str, prometheus: Prometheus
) -> None:
    await admin.ensure(profile(guides_split, (APEX, "900"), (LEAF, "100")))
    await prometheus.scrape(Flow(guides_split, APEX))
    arguments = ("ts/backend-split", "-n", guides_split, "--prometheus-url", prometheus.url)
    wide = await stat(control_plane.admin_kubeconfig, *arguments, "-o", "wide")
    assert [line.split() for line in wide.out.splitlines()] == [
        [
            *("NAME", "APEX", "LEAF", "WEIGHT", "APPLIED", "STATE"),
            *("SUCCESS", "RPS", "LATENCY_P50", "LATENCY_P95", "LATENCY_P99"),
        ],
        [
            *("backend-split", APEX, APEX, "500", "900", "out-of-sync"),
            *("100.00%", "0.5rps", "1ms", "1ms", "1ms"),
        ],
        ["backend-split", APEX, LEAF, "500", "100", "out-of-sync", *"-----"],
    ]
    assert "has other overrides than the split's" in wide.err
    json = (await stat(control_plane.admin_kubeconfig, *arguments, "-o", "json")).json()
    assert [(row["leaf"], row["weight"], row["applied"], row["state"]) for row in json] == [
        (APEX, "500", "900", "out-of-sync"),
        (LEAF, "500", "100", "out-of-sync"),
    ]
    assert [(row["success"], row["rps"], row["latency_ms_p99"]) for row in json] == [
        (1.0, 0.5, 1),
        (None, None, None),
    ]


async def test_without_viz_the_weights_and_the_state_are_shown_and_why_not_more(
    control_plane: ControlPlane, guides_split: str
) -> None:
    ended = await stat(control_plane.admin_kubeconfig, "ts", "-n", guides_split, "-o", "wide")
    assert [line.split() for line in ended.out.splitlines()[1:]] == [
        ["backend-split", APEX, leaf, "500", "500", "in-sync", *"-----"] for leaf in (APEX, LEAF)
    ]
    assert ended.code == 0
    assert ended.err.startswith("no traffic figures: no namespace is labelled")
    assert "linkerd viz install" in ended.err
    assert "--prometheus-url" in ended.err
    assert ended.err.count("\n") == 1


async def test_a_prometheus_that_does_not_listen_is_one_line(
    control_plane: ControlPlane, guides_split: str, viz: str, kubelet: Kubelet
) -> None:
    kubelet.serve(viz, "prometheus-0", {})
    ended = await stat(control_plane.admin_kubeconfig, "ts", "-n", guides_split)
    assert ended.code == 0
    assert ended.err.startswith(
        f"no traffic figures: can't reach port 9090 of pod {viz}/prometheus-0: "
    )
    assert ended.err.endswith("connection refused\n")


async def test_a_prometheus_that_is_not_ready_is_not_asked(
    admin: Api, control_plane: ControlPlane, guides_split: str, viz: str
) -> None:
    status = {"conditions": [{"type": "Ready", "status": "False"}]}
    await admin.patch(PODS, "prometheus-0", {"status": status}, viz, subresource="status")
    ended = await stat(control_plane.admin_kubeconfig, "ts", "-n", guides_split)
    assert ended.err == (
        f"no traffic figures: no pod with component=prometheus is ready in namespace {viz}:"
        " see `linkerd viz check`, or name a Prometheus with --prometheus-url\n"
    )


async def test_a_split_that_is_not_there_is_one_line_and_exit_code_1(
    control_plane: ControlPlane, guides_split: str
) -> None:
    ended = await stat(control_plane.admin_kubeconfig, "ts/backend-splat", "-n", guides_split)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == (
        f"linkerd-smi: there is no TrafficSplit backend-splat in namespace {guides_split};"
        " there: backend-split\n"
    )


async def test_a_namespace_without_splits_is_told(
    control_plane: ControlPlane, cluster_namespace: str
) -> None:
    ended = await stat(control_plane.admin_kubeconfig, "ts", "-n", cluster_namespace, "-o", "json")
    assert (ended.code, ended.json()) == (0, [])
    assert ended.err == f"there is no TrafficSplit in namespace {cluster_namespace}\n"


async def test_who_may_read_one_namespace_alone_sees_its_splits(
    admin: Api, control_plane: ControlPlane, guides_split: str, prometheus: Prometheus
) -> None:
    await prometheus.scrape(*guides_traffic(guides_split))
    await admin.ensure(*reader(guides_split))
    arguments = ("ts", "-n", guides_split, "--as=reader")
    seen = await stat(
        control_plane.admin_kubeconfig, *arguments, f"--prometheus-url={prometheus.url}"
    )
    assert (seen.out, seen.err) == (TABLE, "")
    without = await stat(control_plane.admin_kubeconfig, *arguments, "--verbose")
    assert without.code == 0
    assert (
        'no traffic figures: GET /api/v1/namespaces: 403 namespaces is forbidden: User "reader"'
        in (without.err)
    )


async def test_who_may_read_nothing_gets_one_line(
    control_plane: ControlPlane, guides_split: str
) -> None:
    ended = await stat(control_plane.stranger_kubeconfig, "ts", "-n", guides_split)
    assert (ended.code, ended.out, ended.err.count("\n")) == (1, "", 1)
    assert "403" in ended.err


def named(split: Object, name: str, *, apex: str) -> Object:
    split["metadata"]["name"] = name
    split["spec"]["service"] = apex
    return split


def reader(namespace: str) -> list[Object]:
    metadata = {"name": "reader", "namespace": namespace}
    group = "rbac.authorization.k8s.io"
    kind = {"apiVersion": f"{group}/v1", "metadata": metadata}
    return [
        {
            **kind,
            "kind": "Role",
            "rules": [
                {
                    "apiGroups": ["", "split.smi-spec.io", "linkerd.io"],
                    "resources": ["services", "trafficsplits", "serviceprofiles"],
                    "verbs": ["list"],
                }
            ],
        },
        {
            **kind,
            "kind": "RoleBinding",
            "roleRef": {"apiGroup": group, "kind": "Role", "name": "reader"},
            "subjects": [{"apiGroup": group, "kind": "User", "name": "reader"}],
        },
    ]
