"""The tools that write splits, each in its own manner."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from tests.cluster.api import TRAFFICSPLITS, Object
from tests.contract.adaptor import Adaptor
from tests.contract.cluster import Cluster

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def owned_by(kind: str, group: str) -> Object:
    """The owner reference that a controller leaves."""
    return {
        "apiVersion": f"{group}/v1",
        "kind": kind,
        "name": "podinfo",
        "uid": "7a6f1a52-3a49-4d6e-9a37-2f6d0d0b1c11",
        "controller": True,
        "blockOwnerDeletion": True,
    }


def backends(weights: Mapping[str, object]) -> list[Object]:
    return [{"service": service, "weight": weight} for service, weight in weights.items()]


async def actors(adaptor: Adaptor, cluster: Cluster, split: str) -> list[str]:
    rows = await adaptor.rows(namespace=cluster.namespace, split=split, kind="observed")
    return [row["actor"] for row in rows]


async def test_kubectl_applies_and_edits(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()
    split = cluster.split("s", "web", [("a", 500), ("b", 500)], version="v1alpha2")
    split["metadata"]["annotations"] = {LAST_APPLIED: json.dumps(split)}
    resource = TRAFFICSPLITS.at("v1alpha2")
    await cluster.api.create(
        resource, split, cluster.namespace, field_manager="kubectl-client-side-apply"
    )
    await cluster.wait_overrides("web", [("a", "500"), ("b", "500")])

    # A second apply sends a merge patch of what differs, lists whole.
    split["spec"]["backends"] = backends({"a": 900, "b": 100})
    change = {
        "metadata": {"annotations": {LAST_APPLIED: json.dumps(split)}},
        "spec": {"backends": split["spec"]["backends"]},
    }
    await cluster.api.patch(
        resource, "s", change, cluster.namespace, field_manager="kubectl-client-side-apply"
    )
    await cluster.wait_overrides("web", [("a", "900"), ("b", "100")])
    await cluster.api.patch(
        resource,
        "s",
        [{"op": "replace", "path": "/spec/backends/0/weight", "value": 0}],
        cluster.namespace,
        kind="json",
        field_manager="kubectl-patch",
    )
    await cluster.wait_overrides("web", [("a", "0"), ("b", "100")])

    seen = await actors(adaptor, cluster, "s")
    assert seen[0] == "kubectl-client-side-apply"
    assert seen[-1] == "kubectl-patch"


@pytest.mark.parametrize("version", ["v1alpha1", "v1alpha2", "v1alpha3"])
async def test_flagger_moves_weights_by_whole_updates(cluster: Cluster, version: str) -> None:
    adaptor = await cluster.adaptor().start()
    resource = TRAFFICSPLITS.at(version)
    # v1alpha1 holds quantities, which Go writes as texts; later versions hold integers.
    write = str if version == "v1alpha1" else int
    split = cluster.split(
        "podinfo",
        "podinfo",
        [("podinfo-canary", write(0)), ("podinfo-primary", write(100))],
        version=version,
    )
    split["metadata"]["ownerReferences"] = [owned_by("Canary", "flagger.app")]
    if version == "v1alpha3":
        split["spec"]["matches"] = []
    await cluster.api.create(resource, split, cluster.namespace, field_manager="flagger")
    await cluster.wait_overrides("podinfo", [("podinfo-canary", "0"), ("podinfo-primary", "100")])

    for canary in (50, 100, 0):
        live = await cluster.api.get(resource, "podinfo", cluster.namespace)
        live["spec"]["backends"] = backends(
            {"podinfo-canary": write(canary), "podinfo-primary": write(100 - canary)}
        )
        await cluster.api.replace(resource, live, field_manager="flagger")
        await cluster.wait_overrides(
            "podinfo", [("podinfo-canary", str(canary)), ("podinfo-primary", str(100 - canary))]
        )

    assert (await actors(adaptor, cluster, "podinfo"))[0] == "flagger"


async def test_argo_rollouts_sends_merge_patches_with_decimal_exponents(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()
    # resource.NewQuantity(n, resource.DecimalExponent), as Go marshals it.
    spelled = {0: "0", 10: "10", 90: "90", 100: "100", 1000: "1e3"}
    split = cluster.split(
        "rollout", "stable", [("canary", spelled[0]), ("stable", spelled[1000])], version="v1alpha1"
    )
    owner = owned_by("Rollout", "argoproj.io")
    split["metadata"]["ownerReferences"] = [owner]
    await cluster.api.create(
        TRAFFICSPLITS, split, cluster.namespace, field_manager="rollouts-controller"
    )
    await cluster.wait_overrides("stable", [("canary", "0"), ("stable", "1e3")])

    for canary, stable in ((10, 90), (90, 10), (1000, 0)):
        change = {
            "metadata": {"ownerReferences": [owner]},
            "spec": {"backends": backends({"canary": spelled[canary], "stable": spelled[stable]})},
        }
        await cluster.api.patch(
            TRAFFICSPLITS,
            "rollout",
            change,
            cluster.namespace,
            field_manager="rollouts-controller",
        )
        await cluster.wait_overrides(
            "stable", [("canary", spelled[canary]), ("stable", spelled[stable])]
        )

    assert (await actors(adaptor, cluster, "rollout"))[0] == "rollouts-controller"
    live = await cluster.api.get(TRAFFICSPLITS, "rollout", cluster.namespace)
    assert live["metadata"]["ownerReferences"] == [owner]


async def test_linkerd_failover_switches_all_backends_between_0_and_1(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()
    resource = TRAFFICSPLITS.at("v1alpha2")
    split = cluster.split(
        "db", "db", [("db", 1), ("db-west", 0), ("db-east", 0)], version="v1alpha2"
    )
    split["metadata"]["annotations"] = {"failover.linkerd.io/primary-service": "db"}
    split["metadata"]["labels"] = {"failover.linkerd.io/controlled-by": "linkerd-failover"}
    await cluster.api.create(resource, split, cluster.namespace)
    await cluster.wait_overrides("db", [("db", "1"), ("db-west", "0"), ("db-east", "0")])

    for weights in ({"db": 0, "db-west": 1, "db-east": 1}, {"db": 1, "db-west": 0, "db-east": 0}):
        await cluster.api.patch(
            resource,
            "db",
            {"spec": {"backends": backends(weights)}},
            cluster.namespace,
            field_manager="linkerd-failover",
        )
        await cluster.wait_overrides(
            "db", [(service, str(weight)) for service, weight in weights.items()]
        )

    assert "linkerd-failover" in await actors(adaptor, cluster, "db")
