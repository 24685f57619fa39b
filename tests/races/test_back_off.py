"""Refused writes: how long the same wish waits, and that a new one does not."""

from __future__ import annotations

import time

import pytest

from reactor.events import Synced
from reactor.sandbox.faults import Faults
from reactor.sandbox.server import Sandbox
from tests.cluster.api import TRAFFICSPLITS
from tests.contract.adaptor import Adaptor, Row
from tests.contract.cluster import Cluster

PROFILES = "serviceprofiles"
LONG = {"Retry-After": "600"}


async def rows(adaptor: Adaptor, kind: str) -> list[Row]:
    """The rows about `web`."""
    return await adaptor.rows(kind=kind, service="web")


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_wish_that_is_refused_waits_as_long_as_the_server_asks(
    cluster: Cluster, faults: Faults, status: int
) -> None:
    adaptor = await cluster.adaptor().start()
    faults.respond(status, headers={"Retry-After": "1"}, verb="create", resource=PROFILES, times=1)

    await cluster.create_split("s", "web", [("a", 1)])

    await cluster.wait_overrides("web", [("a", "1")])
    await adaptor.event(Synced, lambda event: event.outcome == "created")
    failed, created = await rows(adaptor, "synced")
    assert (failed["outcome"], failed["detail"]["status"]) == ("failed", status)
    assert created["detail"]["attempt"] == 2
    _, again = await rows(adaptor, "translated")
    assert 1_000_000 <= again["at"] - failed["at"] < 2_000_000


async def test_a_refused_wish_is_tried_again_by_itself(cluster: Cluster, faults: Faults) -> None:
    adaptor = await cluster.adaptor().start()
    storm = faults.respond(503, verb="create", resource=PROFILES, times=3)

    await cluster.create_split("s", "web", [("a", 1)])

    await cluster.wait_overrides("web", [("a", "1")])
    await adaptor.event(Synced, lambda event: event.outcome == "created")
    assert storm.fired == 3
    assert [row["outcome"] for row in await rows(adaptor, "synced")] == ["failed"] * 3 + ["created"]


async def test_a_server_that_asks_for_no_wait_is_not_hammered(
    cluster: Cluster, faults: Faults
) -> None:
    adaptor = await cluster.adaptor().start()
    storm = faults.respond(429, headers={"Retry-After": "0"}, verb="create", resource=PROFILES)
    await cluster.create_split("s", "web", [("a", 1)])
    await storm.until(3)
    storm.lift()

    await cluster.wait_overrides("web", [("a", "1")])
    await adaptor.event(Synced, lambda event: event.outcome == "created")

    attempts = [row["detail"].get("attempt", 1) for row in await rows(adaptor, "synced")]
    assert attempts == list(range(1, storm.fired + 2))


async def test_a_server_that_asks_for_a_day_is_asked_again_within_minutes(
    cluster: Cluster, faults: Faults
) -> None:
    adaptor = await cluster.adaptor().start()
    day = {"Retry-After": "86400"}
    faults.respond(503, headers=day, verb="create", resource=PROFILES, times=1)

    await cluster.create_split("s", "web", [("a", 1)])

    failed = await adaptor.event(Synced, lambda event: event.outcome == "failed")
    await adaptor.idle()
    memory = adaptor.daemon.parts.memory
    wish = failed.decision.desired.overrides
    assert 290.0 < memory.held_back(failed.key, wish, time.monotonic()) <= 330.0


async def test_a_new_wish_during_a_back_off_is_written_at_once(
    cluster: Cluster, faults: Faults, sandbox: Sandbox
) -> None:
    adaptor = await cluster.adaptor().start()
    faults.respond(503, headers=LONG, verb="create", resource=PROFILES, times=1)
    await cluster.create_split("s", "web", [("a", 1)])
    await adaptor.event(Synced, lambda event: event.outcome == "failed")

    await cluster.set_weights("s", [("a", 2)])

    await cluster.wait_overrides("web", [("a", "2")])
    await adaptor.event(Synced, lambda event: event.outcome == "created")
    assert [row["outcome"] for row in await rows(adaptor, "synced")] == ["failed", "created"]


async def test_the_old_wish_during_a_back_off_goes_on_waiting_whatever_wakes_it(
    cluster: Cluster, faults: Faults, sandbox: Sandbox
) -> None:
    adaptor = await cluster.adaptor().start()
    faults.respond(503, headers=LONG, verb="create", resource=PROFILES)
    await cluster.create_split("s", "web", [("a", 1)])
    await adaptor.event(Synced, lambda event: event.outcome == "failed")
    faults.clear()

    await cluster.api.patch(
        TRAFFICSPLITS, "s", {"metadata": {"labels": {"x": "y"}}}, cluster.namespace
    )

    await cluster.settled(adaptor)
    assert await cluster.profile("web") is None
    (failed,) = await rows(adaptor, "synced")
    assert failed["outcome"] == "failed"


async def test_a_wish_that_is_taken_back_during_a_back_off_is_not_written(
    cluster: Cluster, faults: Faults, sandbox: Sandbox
) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])
    faults.respond(503, headers=LONG, verb="patch", resource=PROFILES)
    await cluster.set_weights("s", [("a", 2)])
    await adaptor.event(Synced, lambda event: event.outcome == "failed")

    await cluster.set_weights("s", [("a", 1)])

    await adaptor.event(Synced, lambda event: event.outcome == "unchanged")
    await cluster.settled(adaptor)
    assert len(sandbox.asked("patch", PROFILES)) == 1
    await cluster.wait_overrides("web", [("a", "1")])


async def test_a_deletion_during_a_back_off_is_obeyed_at_once(
    cluster: Cluster, faults: Faults
) -> None:
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])
    faults.respond(503, headers=LONG, verb="patch", resource=PROFILES)
    await cluster.set_weights("s", [("a", 2)])
    await adaptor.event(Synced, lambda event: event.outcome == "failed")

    await cluster.delete_split("s")

    await cluster.wait_no_profile("web")
    await adaptor.event(Synced, lambda event: event.outcome == "deleted")


async def test_a_forbidden_write_is_recorded_and_tried_again_slowly(
    cluster: Cluster, faults: Faults
) -> None:
    adaptor = await cluster.adaptor().start()
    faults.respond(403, verb="create", resource=PROFILES, times=1)

    await cluster.create_split("s", "web", [("a", 1)])

    await adaptor.event(Synced, lambda event: event.outcome == "failed")
    await cluster.settled(adaptor)
    (failed,) = await rows(adaptor, "synced")
    assert failed["detail"]["status"] == 403
    assert await cluster.profile("web") is None
    assert adaptor.daemon.parts.queue.delayed == 1
