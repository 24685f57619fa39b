"""Two adaptors and one lease: one writes at any time, and the other takes over."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest
import pytest_asyncio

from reactor.events import Synced, Translated
from reactor.sandbox.faults import Faults
from reactor.sandbox.server import Sandbox
from tests.cluster.api import LEASES, Api, Object
from tests.cluster.control_plane import ADAPTOR
from tests.cluster.prepare import ADAPTOR_NAMESPACE
from tests.contract.adaptor import Adaptor
from tests.contract.cluster import Cluster
from tests.contract.waiting import until
from tests.races.quick import FACTOR, hasten

PROFILES = "serviceprofiles"
OTHER = "smi-adaptor-of-the-new-version"
LEASE = "smi-adaptor"
PROMISED = 15.0  # seconds

Start = Callable[..., Awaitable[Adaptor]]


@pytest_asyncio.fixture
async def candidate(cluster: Cluster, sandbox: Sandbox) -> Start:
    """Starts adaptors that elect a leader, each as a user of its own, so that writes tell."""
    await _bind(cluster.api, "clusterrolebindings")
    await _bind(cluster.api, f"namespaces/{ADAPTOR_NAMESPACE}/rolebindings")

    async def start(user: str = ADAPTOR, *, leads: bool = True) -> Adaptor:
        path = cluster.directory / f"{user}.kubeconfig"
        cluster.kubeconfig = sandbox.write_kubeconfig(path, user=user)
        adaptor = cluster.adaptor("-leader-elect", log=user)
        await adaptor.start(wait=False)
        hasten(adaptor.daemon.parts.lease)
        if leads:
            async with asyncio.timeout(45):
                await adaptor.daemon.working()
        return adaptor

    return start


async def _bind(api: Api, collection: str) -> None:
    path = f"/apis/rbac.authorization.k8s.io/v1/{collection}"
    _, found = await api.request("GET", path)
    for binding in found["items"]:
        subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": ADAPTOR}
        if subject in binding.get("subjects", []):
            subjects = [*binding["subjects"], {**subject, "name": OTHER}]
            name = binding["metadata"]["name"]
            status, answer = await api.request(
                "PATCH",
                f"{path}/{name}",
                json_body={"subjects": subjects},
                headers={"Content-Type": "application/merge-patch+json"},
            )
            assert status == 200, answer


async def holder(cluster: Cluster) -> str:
    lease = await cluster.api.get(LEASES, LEASE, ADAPTOR_NAMESPACE)
    return str(lease["spec"].get("holderIdentity") or "")


async def stands_by(cluster: Cluster, adaptor: Adaptor) -> None:
    """Wait until it has seen that somebody else leads."""
    await until(lambda: adaptor.daemon.parts.lease.holder is not None, 10)
    assert not adaptor.daemon.parts.lease.held
    assert await holder(cluster)


def writers(sandbox: Sandbox) -> list[str]:
    """Who wrote a profile, in order."""
    return [
        call.user
        for call in sandbox.requests
        if call.resource == PROFILES
        and call.verb in ("create", "patch", "update", "delete")
        and call.status < 300
    ]


async def take_away(cluster: Cluster, to: str) -> Object:
    """Give the lease to someone else, behind the back of whoever holds it."""
    return await cluster.api.patch(
        LEASES, LEASE, {"spec": {"holderIdentity": to}}, ADAPTOR_NAMESPACE
    )


async def test_a_second_adaptor_of_a_rollout_writes_nothing_while_the_first_leads(
    cluster: Cluster, sandbox: Sandbox, candidate: Start
) -> None:
    first = await candidate()
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])

    second = await candidate(OTHER, leads=False)
    await stands_by(cluster, second)
    await cluster.set_weights("s", [("a", 2)])
    await cluster.meddle("web", [("a", "3")])

    await cluster.wait_overrides("web", [("a", "2")])
    await cluster.settled(first)
    assert set(writers(sandbox)) - {"sandbox-admin"} == {ADAPTOR}
    assert second.events(Translated) == []
    assert second.daemon.reasons() == []  # a standby is ready, and its caches are warm
    assert second.daemon.parts.splits.get(cluster.namespace, "s") is not None


async def test_a_standby_takes_over_at_once_when_the_leader_ends_in_good_order(
    cluster: Cluster, sandbox: Sandbox, candidate: Start
) -> None:
    first = await candidate()
    second = await candidate(OTHER, leads=False)
    await stands_by(cluster, second)
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])

    await first.stop()
    stopped = time.monotonic()
    assert await holder(cluster) in ("", second.daemon.parts.lease._identity)
    await cluster.set_weights("s", [("a", 2)])

    await cluster.wait_overrides("web", [("a", "2")])
    assert (time.monotonic() - stopped) * FACTOR < PROMISED
    # The profile shows it before its writer has the answer.
    await second.event(Synced, lambda event: event.outcome == "patched")
    assert writers(sandbox) == [ADAPTOR, OTHER]
    assert [row["outcome"] for row in await second.rows(kind="synced", service="web")][-1:] == [
        "patched"
    ]


async def test_a_standby_takes_over_in_time_from_a_leader_that_fell_silent(
    cluster: Cluster, sandbox: Sandbox, faults: Faults, candidate: Start
) -> None:
    first = await candidate()
    second = await candidate(OTHER, leads=False)
    await stands_by(cluster, second)
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])
    # Cut off, not dead: it goes on believing that it leads until its own clock says otherwise.
    faults.respond(503, user=ADAPTOR, resource="leases")
    silent = time.monotonic()

    async with asyncio.timeout(PROMISED):
        await second.daemon.working()

    assert (time.monotonic() - silent) * FACTOR < PROMISED
    assert not first.daemon.parts.lease.held
    sandbox.requests.clear()
    await cluster.set_weights("s", [("a", 2)])
    await cluster.wait_overrides("web", [("a", "2")])
    await cluster.settled(second)
    assert set(writers(sandbox)) - {"sandbox-admin"} == {OTHER}


async def test_a_write_that_outlives_its_lease_does_not_undo_what_the_next_leader_wrote(
    cluster: Cluster, sandbox: Sandbox, faults: Faults, candidate: Start
) -> None:
    first = await candidate()
    second = await candidate(OTHER, leads=False)
    await stands_by(cluster, second)
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])
    gate = faults.hold(verb="patch", resource=PROFILES, user=ADAPTOR, times=1)
    await cluster.set_weights("s", [("a", 2)])
    await gate.until(1)

    # A lease that is nobody's might be the first one's again.
    await take_away(cluster, second.daemon.parts.lease._identity)
    async with asyncio.timeout(45):
        await second.daemon.working()
        await first.daemon.parts.lease.lost.wait()
    await cluster.set_weights("s", [("a", 3)])
    await cluster.wait_overrides("web", [("a", "3")])
    gate.open()

    ended = await first.event(Synced, lambda event: event.outcome == "conflict")
    assert ended.status == 409
    await cluster.settled(second)
    await cluster.wait_overrides("web", [("a", "3")])
    assert [row["outcome"] for row in await first.rows(kind="synced", service="web")] == [
        "created",
        "conflict",
    ]
    assert writers(sandbox)[0] == ADAPTOR
    assert ADAPTOR not in writers(sandbox)[1:]


async def test_a_decision_whose_lease_went_before_the_write_is_not_sent(
    cluster: Cluster, sandbox: Sandbox, candidate: Start
) -> None:
    first = await candidate()
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])
    await cluster.settled(first)
    decided, gate = asyncio.Event(), asyncio.Event()

    async def wait(event: Translated) -> None:
        if not decided.is_set():
            decided.set()
            await gate.wait()

    first.daemon.bus.subscribe(Translated, wait)
    sandbox.requests.clear()
    await cluster.set_weights("s", [("a", 2)])
    await decided.wait()
    await take_away(cluster, "someone-else")
    async with asyncio.timeout(45):
        await first.daemon.parts.lease.lost.wait()

    gate.set()

    await first.event(Synced, lambda event: event.outcome == "interrupted")
    assert sandbox.asked("patch", PROFILES) == []
    await take_away(cluster, "")
    await cluster.wait_overrides("web", [("a", "2")])
    await first.event(Synced, lambda event: event.outcome == "patched")
    rows = await first.rows(kind="synced", service="web")
    assert [row["outcome"] for row in rows] == ["created", "interrupted", "patched"]


async def test_an_adaptor_that_lost_its_lease_leads_again_with_a_fresh_look(
    cluster: Cluster, sandbox: Sandbox, faults: Faults, candidate: Start
) -> None:
    first = await candidate()
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])
    await cluster.settled(first)
    await take_away(cluster, "someone-else")
    async with asyncio.timeout(45):
        await first.daemon.parts.lease.lost.wait()
    faults.hold_events(PROFILES)
    await cluster.meddle("web", [("b", "9")])
    sandbox.requests.clear()

    await take_away(cluster, "")

    await first.event(Synced, lambda event: event.outcome == "patched")
    await cluster.wait_overrides("web", [("a", "1")])
    looks = [call for call in sandbox.asked("list", PROFILES) if call.user == ADAPTOR]
    assert looks
    assert [row["outcome"] for row in await first.rows(kind="synced", service="web")] == [
        "created",
        "patched",
    ]


async def test_a_renewal_in_flight_at_the_end_does_not_keep_the_next_leader_waiting(
    cluster: Cluster, sandbox: Sandbox, faults: Faults, candidate: Start
) -> None:
    first = await candidate()
    second = await candidate(OTHER, leads=False)
    await stands_by(cluster, second)
    renewal = faults.hold(after=True, verb="update", resource="leases", user=ADAPTOR, times=1)
    await renewal.until(1)

    await first.stop()

    ended = time.monotonic()
    async with asyncio.timeout(45):
        await second.daemon.working()
    assert (time.monotonic() - ended) * FACTOR < 10.0


async def test_a_lease_that_nobody_may_take_is_named_once_and_waited_for(
    cluster: Cluster, faults: Faults, candidate: Start, caplog: pytest.LogCaptureFixture
) -> None:
    refused = faults.respond(403, resource="leases", user=ADAPTOR)
    adaptor = await candidate(leads=False)
    await cluster.create_split("s", "web", [("a", 1)])
    await refused.until(3)
    (reason,) = adaptor.daemon.reasons()
    assert "can't take the lease smi-adaptor" in reason
    assert len([text for text in caplog.messages if "can't take the lease" in text]) == 1
    assert await cluster.profile("web") is None

    refused.lift()

    await cluster.wait_overrides("web", [("a", "1")])
    assert adaptor.daemon.reasons() == []
