"""Flagger's analyses: steps, promotion, a failed one, and what its own reconciler does between."""

from __future__ import annotations

import pytest

from tests.cluster.api import TRAFFICSPLITS, ApiError
from tests.contract.cluster import Cluster
from tests.writers.flagger import MANAGER, Flagger
from tests.writers.follower import Follower

VERSIONS = ["v1alpha1", "v1alpha2", "v1alpha3"]


def weights(canary: int) -> tuple[tuple[str, str], ...]:
    """Overrides of podinfo, canary first."""
    return (("podinfo-canary", str(canary)), ("podinfo-primary", str(100 - canary)))


async def begin(cluster: Cluster, version: str) -> tuple[Follower, Flagger]:
    """The Canary podinfo is initialised."""
    follower = await Follower.of(cluster, "podinfo", "podinfo-canary", "podinfo-primary")
    flagger = Flagger(cluster.api, cluster.namespace, "podinfo", version=version)
    await flagger.reconcile()
    await follower.follows(*weights(0))
    return follower, flagger


@pytest.mark.parametrize("version", VERSIONS)
async def test_an_analysis_that_is_promoted(cluster: Cluster, version: str) -> None:
    follower, flagger = await begin(cluster, version)
    await flagger.set_routes(primary=100, canary=0)  # puts what is there

    for canary in (20, 40, 60):
        await flagger.reconcile()  # finds the spec as it should be, weights aside
        await flagger.set_routes(primary=100 - canary, canary=canary)
        await follower.follows(*weights(canary))
    await flagger.set_routes(primary=100, canary=0)
    await follower.follows(*weights(0))

    await follower.tells("podinfo", *[MANAGER] * 5)


async def test_an_analysis_that_fails_and_one_in_odd_steps(cluster: Cluster) -> None:
    follower, flagger = await begin(cluster, "v1alpha2")

    for canary in (1, 2, 10, 0, 80, 100):
        await flagger.set_routes(primary=100 - canary, canary=canary)
        await follower.follows(*weights(canary))
    await flagger.set_routes(primary=100, canary=0)
    await follower.follows(*weights(0))

    await follower.tells("podinfo", *[MANAGER] * 8)


async def test_what_somebody_else_puts_into_its_split_it_takes_back(cluster: Cluster) -> None:
    follower, flagger = await begin(cluster, "v1alpha1")
    await cluster.set_weights("podinfo", [("podinfo-primary", 7)], field_manager="kubectl-edit")
    await follower.follows(("podinfo-primary", "7"))

    await flagger.reconcile()
    await follower.follows(*weights(0))

    await follower.tells("podinfo", MANAGER, "kubectl-edit", MANAGER)


async def test_a_step_that_meets_a_newer_version_changes_nothing(cluster: Cluster) -> None:
    follower, flagger = await begin(cluster, "v1alpha2")
    resource = TRAFFICSPLITS.at("v1alpha2")
    stale = await cluster.api.get(resource, "podinfo", cluster.namespace)
    await flagger.set_routes(primary=80, canary=20)
    await follower.follows(*weights(20))

    with pytest.raises(ApiError) as refused:
        await cluster.api.replace(resource, stale, field_manager=MANAGER)

    assert refused.value.status == 409
    await follower.tells("podinfo", MANAGER, MANAGER)


async def test_a_canary_that_is_deleted_takes_its_split_and_the_profile_along(
    cluster: Cluster,
) -> None:
    follower, flagger = await begin(cluster, "v1alpha1")
    await flagger.set_routes(primary=80, canary=20)
    await follower.follows(*weights(20))

    await cluster.delete_split("podinfo")  # the garbage collector's part
    await follower.ends()

    await follower.tells("podinfo", MANAGER, MANAGER, "unknown")
