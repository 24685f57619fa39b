"""Decisions made on a state that is gone: look, decide again, and never in a tight loop."""

from __future__ import annotations

from reactor.events import Observed, Synced
from reactor.sandbox.faults import Faults
from reactor.sandbox.server import Sandbox
from tests.contract.adaptor import Adaptor
from tests.contract.cluster import Cluster

PROFILES = "serviceprofiles"
ADAPTOR = "smi-adaptor"


async def ends(adaptor: Adaptor) -> list[tuple[str, int]]:
    """Outcome and HTTP status of each decision about `web`, in order."""
    rows = await adaptor.rows(kind="synced", service="web")
    return [(row["outcome"], row["detail"].get("status", 0)) for row in rows]


async def test_a_split_that_goes_a_b_a_while_the_profile_watch_lags_ends_at_a(
    cluster: Cluster, faults: Faults, sandbox: Sandbox
) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1), ("b", 0)])
    await cluster.wait_overrides("web", [("a", "1"), ("b", "0")])
    await cluster.settled(adaptor)
    lagging = faults.hold_events(PROFILES)

    await cluster.set_weights("s", [("a", 0), ("b", 1)])
    await adaptor.event(Synced, lambda event: event.outcome == "patched")
    adaptor.forget_events()
    await cluster.set_weights("s", [("a", 1), ("b", 0)])
    await adaptor.event(Synced, lambda event: event.outcome == "patched")
    assert lagging.held >= 2
    lagging.lift()

    live = await cluster.wait_overrides("web", [("a", "1"), ("b", "0")])
    version = live["metadata"]["resourceVersion"]
    await adaptor.event(Observed, lambda event: event.object.meta.resource_version == version)
    await cluster.settled(adaptor)
    assert await ends(adaptor) == [("created", 201), ("patched", 200), ("patched", 200)]
    assert len(sandbox.asked("patch", PROFILES)) == 2
    rows = await adaptor.rows(kind="observed", service="web")
    assert [row["detail"]["type"] for row in rows if row["split"] is None] == ["echo"] * 3
    assert await cluster.profile("web") == live


async def test_a_profile_deleted_and_made_again_under_us_keeps_what_is_new_in_it(
    cluster: Cluster, faults: Faults
) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])
    await cluster.settled(adaptor)
    lagging = faults.hold_events(PROFILES)
    await cluster.delete_profile("web")
    made = await cluster.create_profile("web", {"routes": []}, labels={"whose": "theirs"})

    await cluster.set_weights("s", [("a", 2)])

    await adaptor.event(Synced, lambda event: event.outcome == "patched")
    lagging.lift()
    await cluster.settled(adaptor)
    live = await cluster.wait_overrides("web", [("a", "2")])
    assert live["metadata"]["uid"] == made["metadata"]["uid"]
    assert live["metadata"]["labels"] == {"whose": "theirs"}
    assert live["spec"]["routes"] == []
    assert await ends(adaptor) == [("created", 201), ("conflict", 409), ("patched", 200)]


async def test_a_profile_made_again_by_someone_else_is_not_deleted_for_the_one_before(
    cluster: Cluster, faults: Faults
) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])
    await cluster.settled(adaptor)
    lagging = faults.hold_events(PROFILES)
    await cluster.delete_profile("web")
    overrides = cluster.overrides([("theirs", "7")])
    made = await cluster.create_profile("web", {"dstOverrides": overrides})

    await cluster.delete_split("s")

    await adaptor.event(Synced, lambda event: event.outcome == "conflict")
    lagging.lift()
    await cluster.settled(adaptor)
    assert await cluster.profile("web") == made
    assert [outcome for outcome, _ in await ends(adaptor)] == ["created", "conflict", "skipped"]


async def test_a_profile_that_is_there_already_is_patched_after_a_refused_create(
    cluster: Cluster, faults: Faults, sandbox: Sandbox
) -> None:
    adaptor = await cluster.adaptor().start()
    faults.hold_events(PROFILES)
    made = await cluster.create_profile("web", {"routes": []})

    await cluster.create_split("s", "web", [("a", 1)])

    await adaptor.event(Synced, lambda event: event.outcome == "patched")
    live = await cluster.wait_overrides("web", [("a", "1")])
    assert live["metadata"]["uid"] == made["metadata"]["uid"]
    assert live["spec"]["routes"] == []
    assert await ends(adaptor) == [("conflict", 409), ("patched", 200)]
    assert len([call for call in sandbox.asked("get", PROFILES) if call.user == ADAPTOR]) == 1


async def test_a_profile_that_is_gone_is_created_after_a_refused_patch(
    cluster: Cluster, faults: Faults
) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])
    await cluster.settled(adaptor)
    lagging = faults.hold_events(PROFILES)
    await cluster.delete_profile("web")

    await cluster.set_weights("s", [("a", 2)])

    await adaptor.event(Synced, lambda event: event.outcome == "created" and event.attempt == 2)
    lagging.lift()
    await cluster.settled(adaptor)
    await cluster.wait_overrides("web", [("a", "2")])
    assert await ends(adaptor) == [("created", 201), ("conflict", 404), ("created", 201)]


async def test_a_look_that_comes_late_does_not_bury_what_was_made_meanwhile(
    cluster: Cluster, faults: Faults
) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])
    await cluster.settled(adaptor)
    lagging = faults.hold_events(PROFILES)
    look = faults.hold(after=True, verb="get", resource=PROFILES, user=ADAPTOR, times=1)
    await cluster.delete_profile("web")
    await cluster.set_weights("s", [("a", 2)])
    await look.until(1)
    made = await cluster.create_profile("web", {"routes": []})
    lagging.lift()
    uid = made["metadata"]["uid"]
    await adaptor.event(Observed, lambda event: event.object.meta.uid == uid)

    look.open()

    await adaptor.event(Synced, lambda event: event.outcome == "patched")
    live = await cluster.wait_overrides("web", [("a", "2")])
    assert live["metadata"]["uid"] == made["metadata"]["uid"]
    assert live["spec"]["routes"] == []
    assert await ends(adaptor) == [("created", 201), ("conflict", 404), ("patched", 200)]


async def test_a_storm_of_conflicts_is_met_with_a_growing_back_off(
    cluster: Cluster, faults: Faults, sandbox: Sandbox
) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])
    await cluster.settled(adaptor)
    adaptor.daemon.parts.queue._random = lambda: 1.0
    storm = faults.respond(409, verb="patch", resource=PROFILES, times=3)

    await cluster.set_weights("s", [("a", 2)])

    await adaptor.event(Synced, lambda event: event.outcome == "patched")
    await cluster.wait_overrides("web", [("a", "2")])
    found = await ends(adaptor)
    assert found == [("created", 201), *[("conflict", 409)] * 3, ("patched", 200)]
    rows = (await adaptor.rows(kind="synced", service="web"))[1:]
    assert [row["detail"].get("attempt", 1) for row in rows] == [1, 2, 3, 4]
    _, second, third, last = (row["at"] / 1e6 for row in rows)
    assert third - second > 0.4
    assert last - third > 0.8
    looks = [call for call in sandbox.asked("get", PROFILES) if call.user == ADAPTOR]
    assert len(looks) >= storm.fired


async def test_one_service_in_a_storm_of_conflicts_delays_no_other(
    cluster: Cluster, faults: Faults
) -> None:
    adaptor = await cluster.adaptor("-worker-threads=1").start()
    storm = faults.respond(409, verb="create", resource=PROFILES, times=4)
    await cluster.create_split("s", "web", [("a", 1)])
    await storm.until(2)

    await cluster.create_split("t", "other", [("a", 1)])

    await cluster.wait_overrides("other", [("a", "1")])
    await adaptor.event(Synced, lambda event: event.key.service == "other")
