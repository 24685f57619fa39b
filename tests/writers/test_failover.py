"""linkerd-failover's switches: weights of 0 and 1, all backends at once."""

from __future__ import annotations

from tests.cluster.api import TRAFFICSPLITS
from tests.contract.cluster import Cluster
from tests.writers.failover import MANAGER, PRIMARY, SELECTOR, Failover
from tests.writers.follower import Follower

USER = "kubectl-create"


async def begin(cluster: Cluster) -> tuple[Follower, Failover]:
    """A split whose primary is `db`, made by a user; everything goes there."""
    follower = await Follower.of(cluster, "db", "west", "east")
    backends = [("db", 1), ("west", 0), ("east", 0)]
    split = cluster.split("db", "db", backends, version="v1alpha2")
    split["metadata"]["annotations"] = {PRIMARY: "db"}
    split["metadata"]["labels"] = {SELECTOR: "linkerd-failover"}
    resource = TRAFFICSPLITS.at("v1alpha2")
    await cluster.api.create(resource, split, cluster.namespace, field_manager=USER)
    await follower.follows(("db", "1"), ("west", "0"), ("east", "0"))
    return follower, Failover(cluster.api, cluster.namespace)


async def test_a_failover_and_the_way_back(cluster: Cluster) -> None:
    follower, failover = await begin(cluster)

    assert not await failover.update("db", ready={"db", "west", "east"})
    for ready, weights in (
        ({"west", "east"}, "011"),
        ({"east"}, "001"),
        ({"west", "east"}, "011"),
        ({"db", "west"}, "100"),
    ):
        assert await failover.update("db", ready=ready)
        await follower.follows(*zip(("db", "west", "east"), weights, strict=True))
        assert not await failover.update("db", ready=ready)

    await follower.tells("db", USER, *[MANAGER] * 4)
    live = await cluster.api.get(TRAFFICSPLITS, "db", cluster.namespace)
    assert live["metadata"]["annotations"] == {PRIMARY: "db"}
    assert "name" not in live


async def test_when_nothing_is_ready_all_weights_are_0_and_its_author_is_warned(
    cluster: Cluster,
) -> None:
    follower, failover = await begin(cluster)

    await failover.update("db", ready=())
    await follower.follows(("db", "0"), ("west", "0"), ("east", "0"))
    await cluster.wait_event("AllWeightsZero", "db")
    await failover.update("db", ready={"db"})
    await follower.follows(("db", "1"), ("west", "0"), ("east", "0"))

    await follower.tells("db", USER, MANAGER, MANAGER)
