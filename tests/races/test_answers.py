"""Answers that are lost, late, or overtaken by the event of the same write."""

from __future__ import annotations

from reactor.events import Observed, Synced
from reactor.sandbox.faults import Faults
from reactor.sandbox.server import Sandbox
from tests.contract.adaptor import Adaptor, Row
from tests.contract.cluster import Cluster

PROFILES = "serviceprofiles"


async def outcomes(adaptor: Adaptor, service: str = "web") -> list[str]:
    """How the decisions about a service ended, in order."""
    return [row["outcome"] for row in await adaptor.rows(kind="synced", service=service)]


async def types(adaptor: Adaptor) -> list[str]:
    """What was observed of the profile of `web`, in order."""
    return [row["detail"]["type"] for row in await seen(adaptor)]


async def seen(adaptor: Adaptor) -> list[Row]:
    """The observations of the profile of `web`, in order."""
    rows = await adaptor.rows(kind="observed", service="web")
    return [row for row in rows if row["split"] is None]


class TestALostAnswer:
    """The write took effect, and nobody said so: a look comes before the next decision."""

    async def test_to_a_create_leads_to_no_second_one(
        self, cluster: Cluster, faults: Faults, sandbox: Sandbox
    ) -> None:
        adaptor = await cluster.adaptor().start()
        lost = faults.drop(after=True, verb="create", resource=PROFILES, times=1)

        await cluster.create_split("s", "web", [("a", 1), ("b", 1)])

        await adaptor.event(Synced, lambda event: event.outcome == "unchanged")
        await cluster.settled(adaptor)
        assert lost.fired == 1
        assert len(sandbox.asked("create", PROFILES)) == 2  # the mark's is the other one
        assert len(sandbox.asked("get", PROFILES)) >= 1
        assert await outcomes(adaptor) == ["failed", "unchanged"]
        (failed, _) = await adaptor.rows(kind="synced", service="web")
        assert failed["detail"].get("status", 0) == 0
        live = await cluster.wait_overrides("web", [("a", "1"), ("b", "1")])
        assert live["metadata"]["generation"] == 1

    async def test_to_a_patch_leads_to_no_second_one(
        self, cluster: Cluster, faults: Faults, sandbox: Sandbox
    ) -> None:
        adaptor = await cluster.adaptor().start()
        await cluster.create_split("s", "web", [("a", 1), ("b", 0)])
        await adaptor.event(Synced, lambda event: event.outcome == "created")
        faults.drop(after=True, verb="patch", resource=PROFILES, times=1)

        await cluster.set_weights("s", [("a", 0), ("b", 1)])

        await adaptor.event(Synced, lambda event: event.outcome == "unchanged")
        await cluster.settled(adaptor)
        assert len(sandbox.asked("patch", PROFILES)) == 1
        assert await outcomes(adaptor) == ["created", "failed", "unchanged"]
        await cluster.wait_overrides("web", [("a", "0"), ("b", "1")])

    async def test_to_a_delete_leads_to_no_second_one(
        self, cluster: Cluster, faults: Faults, sandbox: Sandbox
    ) -> None:
        adaptor = await cluster.adaptor().start()
        await cluster.create_split("s", "web", [("a", 1)])
        await adaptor.event(Synced, lambda event: event.outcome == "created")
        faults.drop(after=True, verb="delete", resource=PROFILES, times=1)

        await cluster.delete_split("s")

        await adaptor.event(Synced, lambda event: event.outcome == "unchanged")
        await cluster.settled(adaptor)
        # The HTTP client asks once more by itself: a uid's second deletion finds nothing.
        assert [call.status for call in sandbox.asked("delete", PROFILES)][1:] in ([], [404])
        created, lost, found = await outcomes(adaptor)
        assert (created, found) == ("created", "unchanged")
        assert lost in ("failed", "conflict")
        assert await cluster.profile("web") is None

    async def test_while_the_watch_lags_is_made_good_by_the_look(
        self, cluster: Cluster, faults: Faults, sandbox: Sandbox
    ) -> None:
        adaptor = await cluster.adaptor().start()
        lagging = faults.hold_events(PROFILES)
        faults.drop(after=True, verb="create", resource=PROFILES, times=1)
        await cluster.create_split("s", "web", [("a", 1)])
        await adaptor.event(Synced, lambda event: event.outcome == "unchanged")

        await cluster.set_weights("s", [("a", 2)])

        await adaptor.event(Synced, lambda event: event.outcome == "patched")
        lagging.lift()
        await cluster.wait_overrides("web", [("a", "2")])
        await cluster.settled(adaptor)
        assert await outcomes(adaptor) == ["failed", "unchanged", "patched"]
        assert await types(adaptor) == ["echo", "echo"]

    async def test_that_never_was_a_write_is_sent_again(
        self, cluster: Cluster, faults: Faults
    ) -> None:
        adaptor = await cluster.adaptor().start()
        faults.drop(after=False, verb="create", resource=PROFILES, times=1)

        await cluster.create_split("s", "web", [("a", 1)])

        await adaptor.event(Synced, lambda event: event.outcome == "created")
        await cluster.settled(adaptor)
        assert await outcomes(adaptor) == ["failed", "created"]
        attempts = [row["detail"].get("attempt", 1) for row in await adaptor.rows(kind="synced")]
        assert attempts[:2] == [1, 2]

    async def test_followed_by_a_foreign_change_is_repaired_on_what_is_there(
        self, cluster: Cluster, faults: Faults
    ) -> None:
        adaptor = await cluster.adaptor().start()
        faults.hold_events(PROFILES)
        lost = faults.drop(after=True, verb="create", resource=PROFILES, times=1)
        looking = faults.hold(verb="get", resource=PROFILES, user="smi-adaptor", times=1)
        await cluster.create_split("s", "web", [("a", 1)])
        await lost.until(1)
        await looking.until(1)
        await cluster.patch_profile("web", {"spec": {"routes": [], "dstOverrides": None}})

        looking.open()

        await adaptor.event(Synced, lambda event: event.outcome == "patched")
        live = await cluster.wait_overrides("web", [("a", "1")])
        assert live["spec"]["routes"] == []
        assert await outcomes(adaptor) == ["failed", "patched"]


class TestAnEchoBeforeItsAnswer:
    """The watch tells of a write before its answer does: that wakes nobody twice."""

    async def test_of_a_create_makes_no_second_decision(
        self, cluster: Cluster, faults: Faults, sandbox: Sandbox
    ) -> None:
        adaptor = await cluster.adaptor().start()
        gate = faults.hold(after=True, verb="create", resource=PROFILES, times=1)
        await cluster.create_split("s", "web", [("a", 1)])
        await gate.until(1)
        await adaptor.event(Observed, lambda event: event.resource == PROFILES)

        gate.open()

        await cluster.settled(adaptor)
        assert await outcomes(adaptor) == ["created"]
        assert await types(adaptor) == ["added"]
        assert sandbox.asked("patch", PROFILES) == []
        assert sandbox.asked("get", PROFILES) == []

    async def test_of_a_patch_makes_no_second_decision(
        self, cluster: Cluster, faults: Faults, sandbox: Sandbox
    ) -> None:
        adaptor = await cluster.adaptor().start()
        await cluster.create_split("s", "web", [("a", 1)])
        await adaptor.event(Synced)
        gate = faults.hold(after=True, verb="patch", resource=PROFILES, times=1)
        await cluster.set_weights("s", [("a", 2)])
        await gate.until(1)
        await adaptor.event(
            Observed, lambda event: (event.resource, event.change) == (PROFILES, "modified")
        )

        gate.open()

        await cluster.settled(adaptor)
        assert await outcomes(adaptor) == ["created", "patched"]
        assert await types(adaptor) == ["echo", "modified"]
        assert len(sandbox.asked("patch", PROFILES)) == 1

    async def test_of_a_delete_makes_no_second_decision(
        self, cluster: Cluster, faults: Faults, sandbox: Sandbox
    ) -> None:
        adaptor = await cluster.adaptor().start()
        await cluster.create_split("s", "web", [("a", 1)])
        await adaptor.event(Synced)
        gate = faults.hold(after=True, verb="delete", resource=PROFILES, times=1)
        await cluster.delete_split("s")
        await gate.until(1)
        await adaptor.event(
            Observed, lambda event: (event.resource, event.change) == (PROFILES, "deleted")
        )

        gate.open()

        await cluster.settled(adaptor)
        assert await outcomes(adaptor) == ["created", "deleted"]
        assert len(sandbox.asked("delete", PROFILES)) == 1

    async def test_and_a_foreign_change_after_it_is_repaired_once_the_answer_came(
        self, cluster: Cluster, faults: Faults, sandbox: Sandbox
    ) -> None:
        adaptor = await cluster.adaptor().start()
        gate = faults.hold(after=True, verb="create", resource=PROFILES, times=1)
        await cluster.create_split("s", "web", [("a", 1)])
        await gate.until(1)
        await cluster.meddle("web", [("b", "9")], field_manager="intruder")
        await adaptor.event(Observed, lambda event: event.actor == "intruder")

        gate.open()

        await cluster.wait_overrides("web", [("a", "1")])
        await cluster.settled(adaptor)
        assert await outcomes(adaptor) == ["created", "patched"]
        await cluster.wait_overrides("web", [("a", "1")])
