"""What becomes of our overrides when the last split of a service goes."""

from __future__ import annotations

import pytest

from reactor.events import Observed, Synced
from tests.cluster.api import SERVICEPROFILES, TRAFFICSPLITS, Object
from tests.contract.adaptor import Adaptor
from tests.contract.cluster import Cluster
from tests.contract.definitions import UNKNOWN, serving
from tests.contract.waiting import until

OURS = "smi-adaptor"


async def stand(cluster: Cluster, *flags: str) -> Adaptor:
    """An adaptor with one split translated."""
    adaptor = await cluster.adaptor(*flags).start()
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])
    return adaptor


async def cleared(cluster: Cluster) -> Object:
    """Wait until the profile has no overrides; gives it."""
    found = await cluster.api.wait_for(
        SERVICEPROFILES,
        cluster.authority("web"),
        cluster.namespace,
        lambda live: live is not None and "dstOverrides" not in live["spec"],
    )
    assert found is not None
    return found


async def leave_behind(cluster: Cluster, **metadata: object) -> Object:
    """A profile as the Go adaptor wrote it, whose split is gone."""
    return await cluster.create_profile(
        "web", {"dstOverrides": cluster.overrides([("a", "1")])}, field_manager=OURS, **metadata
    )


async def test_an_empty_profile_is_kept_when_asked_for(cluster: Cluster) -> None:
    await stand(cluster, "--orphans=clear")

    await cluster.delete_split("s")

    assert (await cleared(cluster))["spec"] == {}


async def test_orphans_are_kept_when_asked_for(cluster: Cluster) -> None:
    adaptor = await stand(cluster, "--orphans=keep")
    before = await cluster.profile("web")

    await cluster.delete_split("s")

    await adaptor.event(Synced, lambda event: event.outcome == "skipped")
    await cluster.settled(adaptor)
    assert await cluster.profile("web") == before


async def test_orphans_that_were_kept_go_when_the_setting_changes(cluster: Cluster) -> None:
    adaptor = await stand(cluster, "--orphans=keep")
    await cluster.delete_split("s")
    await adaptor.event(Synced, lambda event: event.outcome == "skipped")
    await adaptor.stop()

    await cluster.adaptor().start()

    await cluster.wait_no_profile("web")


@pytest.mark.parametrize(
    "mark",
    [
        {"labels": {"team": "shop"}},
        {"annotations": {"note": "mine"}},
        {"finalizers": ["example.com/hold"]},
        {"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "1-2-3"}]},
    ],
    ids=lambda mark: next(iter(mark)),
)
async def test_a_profile_that_someone_marked_is_cleared_and_not_deleted(
    cluster: Cluster, mark: Object
) -> None:
    await stand(cluster)
    await cluster.patch_profile("web", {"metadata": mark}, field_manager=OURS)

    await cluster.delete_split("s")

    profile = await cleared(cluster)
    assert profile["metadata"].items() >= mark.items()
    await cluster.patch_profile("web", {"metadata": {"finalizers": None}})


async def test_a_profile_that_someone_else_wrote_to_is_cleared_and_not_deleted(
    cluster: Cluster,
) -> None:
    await stand(cluster)
    await cluster.patch_profile("web", {"spec": {"opaquePorts": []}}, field_manager="kubectl")

    await cluster.delete_split("s")

    await cleared(cluster)


async def test_a_split_deleted_while_the_adaptor_was_down_is_cleaned_up_at_once(
    cluster: Cluster,
) -> None:
    adaptor = await stand(cluster)
    await adaptor.stop()
    await cluster.delete_split("s")

    again = await cluster.adaptor().start()

    await cluster.wait_no_profile("web")
    await again.event(Synced, lambda event: event.outcome == "deleted")


async def test_a_split_renamed_while_the_adaptor_was_down_is_cleaned_up_at_once(
    cluster: Cluster,
) -> None:
    adaptor = await stand(cluster)
    await adaptor.stop()
    await cluster.patch_split("s", {"service": "shop"})

    await cluster.adaptor().start()

    await cluster.wait_overrides("shop", [("a", "1")])
    await cluster.wait_no_profile("web")


async def test_what_the_go_adaptor_left_goes_when_a_second_list_agrees(cluster: Cluster) -> None:
    before = await leave_behind(cluster)
    adaptor = await cluster.adaptor().start()
    await adaptor.event(Synced, lambda event: event.outcome == "skipped")
    await adaptor.patience.pass_by(59.0)
    await cluster.settled(adaptor)
    assert await cluster.profile("web") == before

    await adaptor.patience.pass_by(1.0)

    await cluster.wait_no_profile("web")


async def test_a_split_that_a_restore_brings_late_keeps_its_profile(cluster: Cluster) -> None:
    before = await leave_behind(cluster)
    adaptor = await cluster.adaptor().start()
    await adaptor.patience.wanted()

    await cluster.create_split("s", "web", [("a", 1)])
    await adaptor.event(Synced, lambda event: event.outcome == "unchanged")
    lists = adaptor.requests()["list", "trafficsplits", "200"]
    await adaptor.patience.pass_by()

    await until(lambda: adaptor.requests()["list", "trafficsplits", "200"] > lists)
    await cluster.settled(adaptor)
    assert await cluster.profile("web") == before


async def test_what_the_go_adaptor_wrote_is_adopted_and_cleaned_up(cluster: Cluster) -> None:
    before = await leave_behind(cluster)
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.create_split("t", "shop", [("a", 1)])
    await cluster.create_profile(
        "shop", {"dstOverrides": cluster.overrides([("old", "1")])}, field_manager=OURS
    )
    adaptor = await cluster.adaptor().start()
    await cluster.wait_overrides("shop", [("a", "1")])
    await cluster.settled(adaptor)
    assert await cluster.profile("web") == before

    await cluster.delete_split("s")
    await cluster.delete_split("t")

    await cluster.wait_no_profile("web")
    await cluster.wait_no_profile("shop")


@pytest.mark.permissive
async def test_what_the_go_adaptor_wrote_stays_while_its_split_is_invalid(
    cluster: Cluster,
) -> None:
    before = await leave_behind(cluster)
    await cluster.create_split("s", "web", [("a", "typo")])
    adaptor = await cluster.adaptor().start()

    await adaptor.finding("InvalidWeight", "s")

    await cluster.settled(adaptor)
    assert await cluster.profile("web") == before


async def test_overrides_written_by_hand_are_never_ours(cluster: Cluster) -> None:
    before = await cluster.create_profile("web", {"dstOverrides": cluster.overrides([("a", "1")])})
    adaptor = await cluster.adaptor().start()

    await cluster.settled(adaptor)

    assert await cluster.profile("web") == before
    assert await adaptor.rows(namespace=cluster.namespace, service="web") == []


async def test_overrides_changed_by_hand_after_the_split_went_are_not_ours(
    cluster: Cluster,
) -> None:
    adaptor = await stand(cluster)
    await adaptor.stop()
    await cluster.delete_split("s")
    after = await cluster.meddle("web", [("mine", "5")])

    again = await cluster.adaptor().start()

    await again.event(Synced, lambda event: event.outcome == "skipped")
    await cluster.settled(again)
    assert await cluster.profile("web") == after


async def test_overrides_that_equal_what_the_journal_asked_for_are_ours(cluster: Cluster) -> None:
    adaptor = await stand(cluster)
    await adaptor.stop()
    await cluster.delete_split("s")
    await cluster.delete_profile("web")
    restored = {"dstOverrides": cluster.overrides([("a", "1")])}
    await cluster.create_profile("web", restored, field_manager="backup")

    await cluster.adaptor().start()

    await cleared(cluster)


async def test_profiles_of_another_cluster_domain_are_left_alone(cluster: Cluster) -> None:
    adaptor = await stand(cluster)
    before = await cluster.profile("web")
    await adaptor.stop()

    mistyped = await cluster.adaptor("-cluster-domain=cluster.lokal", log="other").start()
    await mistyped.event(Synced, lambda event: event.outcome == "created")
    await cluster.delete_split("s")
    await mistyped.event(Synced, lambda event: event.outcome == "deleted")

    assert await cluster.profile("web") == before


async def test_profiles_that_a_client_keeps_for_another_namespace_are_left_alone(
    cluster: Cluster,
) -> None:
    name = "web.elsewhere.svc.cluster.local"
    theirs = {
        "apiVersion": "linkerd.io/v1alpha2",
        "kind": "ServiceProfile",
        "metadata": {"name": name, "namespace": cluster.namespace},
        "spec": {"dstOverrides": cluster.overrides([("a", "1")])},
    }
    before = await cluster.api.create(
        SERVICEPROFILES, theirs, cluster.namespace, field_manager=OURS
    )
    adaptor = await cluster.adaptor().start()

    await cluster.settled(adaptor)

    assert await cluster.api.get(SERVICEPROFILES, name, cluster.namespace) == before
    assert not adaptor.daemon.parts.queue.delayed


async def lose_while_away(cluster: Cluster, adaptor: Adaptor) -> None:
    """Delete the split while no definition that the adaptor knows is served."""
    health = adaptor.daemon.parts.split_reflector.health
    async with serving(cluster, UNKNOWN):
        await until(lambda: health.restarts["missing"])
        await cluster.api.delete(TRAFFICSPLITS.at(UNKNOWN), "s", cluster.namespace)
    gone = await adaptor.event(Observed, lambda event: event.change == "deleted")
    assert not gone.proved
    await adaptor.event(Synced, lambda event: event.outcome == "skipped")


async def test_a_split_that_went_while_its_definition_was_away_needs_a_second_list(
    cluster: Cluster,
) -> None:
    adaptor = await stand(cluster)
    before = await cluster.profile("web")

    await lose_while_away(cluster, adaptor)

    await cluster.settled(adaptor)
    assert await cluster.profile("web") == before
    await adaptor.patience.pass_by()
    await cluster.wait_no_profile("web")


async def test_a_restart_is_no_second_list(cluster: Cluster) -> None:
    adaptor = await stand(cluster)
    before = await cluster.profile("web")
    await lose_while_away(cluster, adaptor)
    await adaptor.stop()

    again = await cluster.adaptor().start()

    await cluster.settled(again)
    assert await cluster.profile("web") == before
    await again.patience.pass_by()
    await cluster.wait_no_profile("web")
