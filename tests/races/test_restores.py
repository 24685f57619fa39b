"""A restore from backup brings profiles first and splits later: nothing is torn down meanwhile."""

from __future__ import annotations

from reactor.events import Observed, Synced
from reactor.sandbox.faults import Faults
from reactor.sandbox.server import Sandbox
from tests.cluster.api import Object
from tests.contract.adaptor import Adaptor
from tests.contract.cluster import Cluster
from tests.contract.waiting import until

OURS = "smi-adaptor"
SPLITS = "trafficsplits"


async def restored(cluster: Cluster, *services: str) -> list[Object]:
    """Profiles as a backup tool that keeps managedFields brings them."""
    spec = {"dstOverrides": cluster.overrides([("a", "1")])}
    return [await cluster.create_profile(service, spec, field_manager=OURS) for service in services]


def unchanged(adaptor: Adaptor) -> set[str]:
    """Services that were found to be as they should."""
    return {event.key.service for event in adaptor.events(Synced) if event.outcome == "unchanged"}


def writes(sandbox: Sandbox) -> list[str]:
    """What the adaptor wrote to profiles."""
    return [
        call.verb
        for call in sandbox.requests
        if (call.resource, call.user) == ("serviceprofiles", OURS)
        and call.verb in ("create", "patch", "delete")
    ]


async def test_splits_that_the_watch_has_not_shown_yet_are_found_by_the_second_list(
    cluster: Cluster, faults: Faults, sandbox: Sandbox
) -> None:
    adaptor = await cluster.adaptor().start()
    lagging = faults.hold_events(SPLITS)
    before = await restored(cluster, "web", "shop")
    await adaptor.patience.wanted()
    for service in ("web", "shop"):
        await cluster.create_split(f"{service}-split", service, [("a", 1)])

    await adaptor.patience.pass_by()

    await until(lambda: unchanged(adaptor) >= {"web", "shop"})
    lagging.lift()
    await cluster.settled(adaptor)
    assert [await cluster.profile(service) for service in ("web", "shop")] == before
    assert writes(sandbox) == ["create"]  # the mark's
    ends = [row["outcome"] for row in await adaptor.rows(kind="synced", service="web")]
    assert ends == ["skipped", "unchanged"]


async def test_a_second_list_that_fails_proves_nothing(
    cluster: Cluster, faults: Faults, sandbox: Sandbox
) -> None:
    adaptor = await cluster.adaptor().start()
    (before,) = await restored(cluster, "web")
    await adaptor.patience.wanted()
    storm = faults.respond(503, verb="list", resource=SPLITS)

    await adaptor.patience.pass_by()
    await storm.until(1)
    await adaptor.patience.wanted()
    await cluster.settled(adaptor)
    assert await cluster.profile("web") == before

    storm.lift()
    await adaptor.patience.pass_by(59.0)
    await cluster.settled(adaptor)
    assert await cluster.profile("web") == before
    await adaptor.patience.pass_by(1.0)
    await cluster.wait_no_profile("web")
    await adaptor.event(Synced, lambda event: event.outcome == "deleted")


async def test_what_the_restore_leaves_out_goes_after_the_second_list(
    cluster: Cluster, sandbox: Sandbox
) -> None:
    adaptor = await cluster.adaptor().start()
    kept, _ = await restored(cluster, "kept", "left")
    await adaptor.patience.wanted()
    await cluster.create_split("kept-split", "kept", [("a", 1)])
    await adaptor.event(Observed, lambda event: event.resource == SPLITS)

    await adaptor.patience.pass_by()

    await cluster.wait_no_profile("left")
    await cluster.settled(adaptor)
    assert await cluster.profile("kept") == kept
    assert writes(sandbox).count("delete") == 1


async def test_a_restore_that_goes_on_while_the_adaptor_restarts_begins_a_new_minute(
    cluster: Cluster,
) -> None:
    (before,) = await restored(cluster, "web")
    adaptor = await cluster.adaptor().start()
    await adaptor.patience.wanted()
    await adaptor.stop()

    again = await cluster.adaptor().start()
    await again.patience.pass_by(59.0)
    await cluster.settled(again)
    assert await cluster.profile("web") == before

    await cluster.create_split("s", "web", [("a", 1)])
    await again.event(Synced, lambda event: event.key.service == "web")
    lists = again.requests()["list", SPLITS, "200"]
    await again.patience.pass_by(1.0)
    await until(lambda: again.requests()["list", SPLITS, "200"] > lists)
    await cluster.settled(again)
    assert await cluster.profile("web") == before
