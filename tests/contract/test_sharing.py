"""Several splits of one service: the oldest decides."""

from __future__ import annotations

import pytest

from reactor.events import Synced
from tests.contract.cluster import Cluster


async def test_the_older_split_wins_whatever_their_names(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("zeta", "web", [("a", 1)])
    await cluster.next_second()

    await cluster.create_split("alpha", "web", [("b", 1)])

    finding = await adaptor.finding("ShadowedBy", "alpha")
    assert "the older zeta" in finding.message
    await cluster.settled(adaptor)
    await cluster.wait_overrides("web", [("a", "1")])


async def test_of_two_splits_of_one_second_the_first_by_name_wins(cluster: Cluster) -> None:
    await cluster.next_second()
    made = [await cluster.create_split(name, "web", [(name, 1)]) for name in ("b", "a")]
    by_age = sorted(
        made, key=lambda split: (split["metadata"]["creationTimestamp"], split["metadata"]["name"])
    )
    winner, other = (split["metadata"]["name"] for split in by_age)

    adaptor = await cluster.adaptor().start()

    await adaptor.finding("ShadowedBy", other)
    await cluster.wait_overrides("web", [(winner, "1")])


@pytest.mark.parametrize("way", ["deleted", "renamed", "emptied"])
async def test_a_shadowed_split_takes_over_when_the_winner_goes(cluster: Cluster, way: str) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("old", "web", [("a", 1)])
    await cluster.next_second()
    await cluster.create_split("new", "web", [("b", 1)])
    await adaptor.finding("ShadowedBy", "new")

    if way == "deleted":
        await cluster.delete_split("old")
    elif way == "renamed":
        await cluster.patch_split("old", {"service": "shop"})
    else:
        await cluster.patch_split("old", {"backends": []})

    await cluster.wait_overrides("web", [("b", "1")])


@pytest.mark.permissive
async def test_a_typo_in_the_winner_never_hands_the_traffic_to_another(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("old", "web", [("a", 1)])
    await cluster.next_second()
    await cluster.create_split("new", "web", [("b", 1)])
    await adaptor.finding("ShadowedBy", "new")
    before = await cluster.wait_overrides("web", [("a", "1")])

    await cluster.set_weights("old", [("a", "typo")])

    await adaptor.finding("InvalidWeight", "old")
    await cluster.settled(adaptor)
    assert await cluster.profile("web") == before


@pytest.mark.permissive
async def test_an_invalid_winner_that_was_never_good_holds_the_place(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("old", "web", [("a", -1)])
    await cluster.next_second()

    await cluster.create_split("new", "web", [("b", 1)])

    await adaptor.finding("ShadowedBy", "new")
    await cluster.settled(adaptor)
    assert await cluster.profile("web") is None
    await cluster.delete_split("old")
    await cluster.wait_overrides("web", [("b", "1")])


@pytest.mark.permissive
async def test_overrides_of_a_split_that_is_gone_go_even_if_the_next_winner_is_invalid(
    cluster: Cluster,
) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("old", "web", [("a", 1)])
    await cluster.next_second()
    await cluster.create_split("new", "web", [("b", -1)])
    await adaptor.finding("InvalidWeight", "new")
    await cluster.wait_overrides("web", [("a", "1")])

    await cluster.delete_split("old")

    await cluster.wait_no_profile("web")


@pytest.mark.permissive
async def test_last_good_belongs_to_a_uid_and_not_to_a_name(cluster: Cluster) -> None:
    await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])

    await cluster.delete_split("s")
    await cluster.create_split("s", "web", [("a", -1)])

    await cluster.wait_no_profile("web")


@pytest.mark.permissive
async def test_what_a_shadowed_split_last_asked_for_is_good_when_its_time_comes(
    cluster: Cluster,
) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("old", "web", [("a", 1)])
    await cluster.next_second()
    await cluster.create_split("new", "web", [("b", 5)])
    await adaptor.finding("ShadowedBy", "new")
    await cluster.set_weights("new", [("b", "typo")])
    await adaptor.finding("InvalidWeight", "new")

    await cluster.delete_split("old")

    await cluster.wait_overrides("web", [("b", "5")])


@pytest.mark.permissive
async def test_last_good_outlives_a_clean_up_and_a_restart(cluster: Cluster) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("first", "web", [("a", 1)])
    await cluster.next_second()
    await cluster.create_split("second", "web", [("b", -1)])
    await cluster.next_second()
    await cluster.create_split("third", "web", [("c", 5)])
    await adaptor.finding("ShadowedBy", "third")
    await cluster.set_weights("third", [("c", "typo")])
    await adaptor.finding("InvalidWeight", "third")
    await cluster.delete_split("first")
    await cluster.wait_no_profile("web")
    await adaptor.event(Synced, lambda event: event.outcome == "deleted")
    await cluster.settled(adaptor)
    await adaptor.stop()
    await cluster.adaptor().start()

    await cluster.delete_split("second")

    await cluster.wait_overrides("web", [("c", "5")])
