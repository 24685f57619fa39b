"""Argo Rollouts' steps: merge patches of the difference, and none when there is none."""

from __future__ import annotations

import pytest

from tests.cluster.api import TRAFFICSPLITS
from tests.contract.cluster import Cluster
from tests.writers.argo import MANAGER, Argo
from tests.writers.client import controlled_by
from tests.writers.follower import Follower

VERSIONS = ["v1alpha1", "v1alpha2", "v1alpha3"]


def weights(canary: int) -> tuple[tuple[str, str], ...]:
    """Overrides of the Rollout, canary first."""
    return (("canary", str(canary)), ("stable", str(100 - canary)))


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_rollout_through_its_steps(cluster: Cluster, version: str) -> None:
    follower = await Follower.of(cluster, "stable", "canary")
    argo = Argo(cluster.api, cluster.namespace, "rollout", version=version)

    for canary in (0, 5, 20, 60, 100, 0):
        assert await argo.set_weight(canary)
        await follower.follows(*weights(canary))
        assert not await argo.set_weight(canary)  # each of its reconciliations asks anew

    await follower.tells("rollout", *[MANAGER] * 6)
    live = await cluster.api.get(TRAFFICSPLITS, "rollout", cluster.namespace)
    owner = controlled_by("Rollout", "argoproj.io/v1alpha1", "rollout")
    assert live["metadata"]["ownerReferences"] == [owner]


async def test_a_rollout_with_a_root_service_and_an_experiment(cluster: Cluster) -> None:
    follower = await Follower.of(cluster, "root", "canary", "stable", "experiment")
    argo = Argo(cluster.api, cluster.namespace, "rollout", version="v1alpha1", root="root")
    await argo.set_weight(0)
    await follower.follows(*weights(0))

    await argo.set_weight(10, (("experiment", 5),))
    await follower.follows(("canary", "10"), ("experiment", "5"), ("stable", "85"))
    await argo.set_weight(10)
    await follower.follows(*weights(10))

    await follower.tells("rollout", *[MANAGER] * 3)


async def test_a_rollout_that_is_given_another_root_moves_the_overrides(cluster: Cluster) -> None:
    follower = await Follower.of(cluster, "stable", "canary", "root")
    argo = Argo(cluster.api, cluster.namespace, "rollout", version="v1alpha2")
    await argo.set_weight(20)
    await follower.follows(*weights(20))

    other = Argo(cluster.api, cluster.namespace, "rollout", version="v1alpha2", root="root")
    await other.set_weight(20)

    await cluster.wait_overrides("root", weights(20))
    await cluster.wait_no_profile("stable")
