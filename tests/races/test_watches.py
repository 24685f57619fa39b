"""Watches and lists that break, lie, lag or fall silent: the daemon ends where the server is."""

from __future__ import annotations

import asyncio
import time

import pytest

from reactor.events import Observed, Synced
from reactor.sandbox.faults import Faults
from reactor.sandbox.server import Sandbox
from tests.cluster.api import Object
from tests.contract.adaptor import Adaptor
from tests.contract.cluster import Cluster
from tests.contract.waiting import until

SPLITS = "trafficsplits"
PROFILES = "serviceprofiles"
MANY = 1_000
HUNDREDS = 300


@pytest.fixture
async def adaptor(cluster: Cluster) -> Adaptor:
    """One that has made the profile of `web` from split `s`: a 1."""
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])
    await cluster.settled(adaptor)
    adaptor.forget_events()
    return adaptor


def restarts(adaptor: Adaptor, reason: str) -> int:
    """How often the watch of splits ended for this reason."""
    return adaptor.daemon.parts.split_reflector.health.restarts[reason]


async def followed(cluster: Cluster, adaptor: Adaptor, weight: int) -> None:
    """The profile holds this weight, by one patch."""
    await cluster.wait_overrides("web", [("a", str(weight))])
    await adaptor.event(Synced, lambda event: event.outcome == "patched")
    await cluster.settled(adaptor)
    rows = await adaptor.rows(kind="synced", service="web")
    assert [row["outcome"] for row in rows] == ["created", "patched"]


async def test_a_watch_that_expires_in_stream_is_listed_anew(
    cluster: Cluster, faults: Faults, adaptor: Adaptor
) -> None:
    lost = faults.hold_events(SPLITS)
    await cluster.set_weights("s", [("a", 2)])
    await lost.until(1)
    lost.discard()

    assert faults.expire_watches(SPLITS) == 1

    await followed(cluster, adaptor, 2)
    assert restarts(adaptor, "expired") == 1


async def test_a_watch_that_is_refused_as_expired_is_listed_anew(
    cluster: Cluster, faults: Faults, adaptor: Adaptor
) -> None:
    lost = faults.hold_events(SPLITS)
    await cluster.set_weights("s", [("a", 2)])
    await lost.until(1)
    lost.discard()
    refusal = faults.respond(410, verb="watch", resource=SPLITS, times=1)

    faults.break_watches(SPLITS)

    await followed(cluster, adaptor, 2)
    assert refusal.fired == 1
    assert restarts(adaptor, "expired") == 1


async def test_a_watch_that_resumes_before_a_compaction_is_listed_anew(
    cluster: Cluster, faults: Faults, adaptor: Adaptor
) -> None:
    lost = faults.hold_events(SPLITS)
    await cluster.set_weights("s", [("a", 2)])
    await lost.until(1)
    lost.discard()
    faults.compact()

    faults.break_watches(SPLITS)

    await followed(cluster, adaptor, 2)


async def test_a_list_whose_snapshot_is_compacted_away_between_two_chunks_is_taken_whole(
    cluster: Cluster, faults: Faults, sandbox: Sandbox
) -> None:
    for number in range(MANY):
        sandbox.cluster.create(_service(cluster, f"s-{number}"))
    # After the list of the one Service by which the cluster is known, and the first chunk.
    second = faults.hold(verb="list", resource="services", user="smi-adaptor", skip=2, times=1)
    adaptor = await cluster.adaptor().start(wait=False)
    await second.until(1)
    sandbox.cluster.create(_service(cluster, f"s-{MANY}"))
    faults.compact()

    second.open()

    async with asyncio.timeout(45):
        await adaptor.daemon.working()
    lists = [call for call in sandbox.asked("list", "services") if call.user == "smi-adaptor"]
    assert [call.status for call in lists] == [200, 200, 410, 200]
    ours = [s for s in adaptor.daemon.parts.services.values() if s.meta.name.startswith("s-")]
    assert len(ours) == MANY + 1


def _service(cluster: Cluster, name: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": cluster.namespace},
        "spec": {"ports": [{"port": 80}]},
    }


async def test_hundreds_of_deletes_that_no_watch_told_of_are_found_by_a_list(
    cluster: Cluster, faults: Faults, sandbox: Sandbox
) -> None:
    for number in range(HUNDREDS):
        sandbox.cluster.create(cluster.split(f"s-{number}", f"web-{number}", [("a", 1)]))
    adaptor = await cluster.adaptor().start()
    await until(lambda: sandbox.cluster.count(PROFILES) == HUNDREDS)
    await adaptor.idle()
    lost = faults.hold_events(SPLITS)
    assert sandbox.cluster.remove_all(SPLITS) == HUNDREDS
    lost.discard()
    faults.compact()

    faults.break_watches(SPLITS)

    await until(lambda: sandbox.cluster.count(PROFILES) == 0)
    await until(lambda: len(adaptor.events(Synced)) == 2 * HUNDREDS)
    gone = [
        row
        for row in await adaptor.rows(kind="observed")
        if row["split"] and row["detail"]["type"] == "deleted"
    ]
    assert len(gone) == HUNDREDS
    assert len(await adaptor.rows(kind="synced", outcome="deleted")) == HUNDREDS


async def test_a_connection_that_falls_silent_without_closing_is_given_up(
    cluster: Cluster, faults: Faults
) -> None:
    adaptor = await cluster.adaptor().start(wait=False)
    adaptor.daemon.parts.split_reflector._silence = 0.5
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])
    await cluster.settled(adaptor)
    adaptor.forget_events()
    assert faults.silence(SPLITS) == 1

    await cluster.set_weights("s", [("a", 2)])

    await followed(cluster, adaptor, 2)
    assert restarts(adaptor, "failed") >= 1


async def test_half_a_line_is_no_event(cluster: Cluster, faults: Faults, adaptor: Adaptor) -> None:
    cut = faults.cut_event(SPLITS)

    await cluster.set_weights("s", [("a", 2)])

    await cut.until(1)
    await followed(cluster, adaptor, 2)
    assert restarts(adaptor, "failed") == 1


@pytest.mark.parametrize("listed", [True, False], ids=["listed", "watched"])
async def test_objects_of_two_mebibytes_are_read_like_others(
    cluster: Cluster, sandbox: Sandbox, listed: bool
) -> None:
    note = {"note": "x" * (2 << 20)}
    split = cluster.split("s", "web", [("a", 1)])
    split["metadata"]["annotations"] = note
    profile: Object = {
        "apiVersion": "linkerd.io/v1alpha2",
        "kind": "ServiceProfile",
        "metadata": {
            "name": cluster.authority("web"),
            "namespace": cluster.namespace,
            "annotations": note,
        },
        "spec": {},
    }
    if not listed:
        adaptor = await cluster.adaptor().start()
    sandbox.cluster.create(profile)
    if not listed:
        await adaptor.event(Observed, lambda event: event.resource == PROFILES)
    sandbox.cluster.create(split)
    if listed:
        adaptor = await cluster.adaptor().start()

    live = await cluster.wait_overrides("web", [("a", "1")])
    assert live["metadata"]["annotations"] == note
    await cluster.settled(adaptor)
    assert [row["outcome"] for row in await adaptor.rows(kind="synced", service="web")] == [
        "patched"
    ]


@pytest.mark.parametrize("verb", ["watch", "list"])
async def test_a_wait_that_the_server_asks_a_reflector_for_is_honoured(
    cluster: Cluster, faults: Faults, adaptor: Adaptor, verb: str
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    adaptor.daemon.parts.split_reflector._sleep = sleep
    lost = faults.hold_events(SPLITS)
    await cluster.set_weights("s", [("a", 2)])
    await lost.until(1)
    lost.discard()
    busy = faults.respond(
        429, headers={"Retry-After": "7"}, verb=verb, resource=SPLITS, user="smi-adaptor", times=2
    )

    faults.expire_watches(SPLITS)

    await followed(cluster, adaptor, 2)
    assert busy.fired == 2
    assert len([seconds for seconds in slept if 7.0 <= seconds <= 7.7]) == 2


@pytest.mark.parametrize("status", [500, 503])
async def test_a_storm_of_server_errors_is_waited_out(
    cluster: Cluster, faults: Faults, adaptor: Adaptor, status: int
) -> None:
    storm = faults.respond(status, user="smi-adaptor")
    faults.break_watches()
    await cluster.set_weights("s", [("a", 2)])
    await cluster.create_split("t", "shop", [("b", 1)])
    await storm.until(6)
    assert adaptor.daemon.reasons() == []  # within the first minute nobody is alarmed

    storm.lift()

    await cluster.wait_overrides("shop", [("b", "1")])
    await cluster.wait_overrides("web", [("a", "2")])


async def test_an_api_server_that_restarts_is_caught_up_with(
    cluster: Cluster, sandbox: Sandbox, adaptor: Adaptor
) -> None:
    await sandbox.stop()
    split = sandbox.cluster.get(SPLITS, "s", cluster.namespace)
    assert split is not None
    split["spec"]["backends"][0]["weight"] = 2
    sandbox.cluster.apply(split)
    health = adaptor.daemon.parts.split_reflector.health
    await until(lambda: health.restarts["failed"])
    now = time.monotonic
    health._clock = lambda: now() + 60.0
    (reason,) = [found for found in adaptor.daemon.reasons() if SPLITS in found]
    assert "no watch of trafficsplits for 60 s" in reason
    assert sandbox.url in reason
    health._clock = now

    await sandbox.start()

    await followed(cluster, adaptor, 2)
    await until(lambda: adaptor.daemon.reasons() == [])


@pytest.mark.parametrize("resource", [SPLITS, PROFILES])
async def test_events_told_twice_change_nothing(
    cluster: Cluster, faults: Faults, sandbox: Sandbox, adaptor: Adaptor, resource: str
) -> None:
    twice = faults.repeat_events(resource)

    await cluster.set_weights("s", [("a", 2)])

    await followed(cluster, adaptor, 2)
    assert twice.fired >= 1
    assert len([c for c in sandbox.asked("patch", PROFILES) if c.user == "smi-adaptor"]) == 1


async def test_events_told_in_reverse_do_not_bring_the_old_wish_back(
    cluster: Cluster, faults: Faults, adaptor: Adaptor
) -> None:
    swapped = faults.swap_events(SPLITS)
    await cluster.set_weights("s", [("a", 2)])
    await cluster.set_weights("s", [("a", 3)])
    await swapped.until(1)
    swapped.lift()

    await followed(cluster, adaptor, 3)


async def test_a_token_that_expires_is_replaced_by_the_one_in_the_file(
    cluster: Cluster, sandbox: Sandbox, faults: Faults
) -> None:
    first = sandbox.tokens.issue("smi-adaptor", ())
    adaptor = _with_token_file(cluster, sandbox, first)
    await adaptor.start()
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])
    await cluster.settled(adaptor)
    adaptor.forget_events()
    (cluster.directory / "token").write_text(sandbox.tokens.issue("smi-adaptor", ()) + "\n")

    sandbox.tokens.revoke(first)
    faults.break_watches()
    await cluster.set_weights("s", [("a", 2)])

    await followed(cluster, adaptor, 2)


async def test_a_token_that_expires_before_its_successor_is_there_is_waited_for_and_named(
    cluster: Cluster, sandbox: Sandbox, faults: Faults, caplog: pytest.LogCaptureFixture
) -> None:
    first = sandbox.tokens.issue("smi-adaptor", ())
    adaptor = _with_token_file(cluster, sandbox, first)
    await adaptor.start()
    now = time.time
    adaptor.daemon.parts.connection._credentials._clock = lambda: now() * 20
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])
    await cluster.settled(adaptor)
    adaptor.forget_events()
    sandbox.tokens.revoke(first)
    faults.break_watches()
    await cluster.set_weights("s", [("a", 2)])
    await until(lambda: restarts(adaptor, "refused") >= 2)
    assert [text for text in caplog.messages if "renew them" in text]
    assert first not in caplog.text

    (cluster.directory / "token").write_text(sandbox.tokens.issue("smi-adaptor", ()))

    await followed(cluster, adaptor, 2)


def _with_token_file(cluster: Cluster, sandbox: Sandbox, token: str) -> Adaptor:
    path = cluster.directory / "token"
    path.write_text(token)
    text = cluster.kubeconfig.read_text()
    used = sandbox._users["smi-adaptor"]
    assert f'"token":"{used}"' in text
    rotated = cluster.directory / "rotated.kubeconfig"
    rotated.write_text(text.replace(f'"token":"{used}"', f'"tokenFile":"{path}"'))
    cluster.kubeconfig = rotated
    return cluster.adaptor()


async def test_a_change_seen_by_a_list_alone_is_observed_once(
    cluster: Cluster, faults: Faults, adaptor: Adaptor
) -> None:
    lagging = faults.hold_events(SPLITS)
    await cluster.set_weights("s", [("a", 2)])
    await lagging.until(1)
    await adaptor.daemon.parts.split_reflector.relist()

    lagging.lift()

    await followed(cluster, adaptor, 2)
    seen = [event for event in adaptor.events(Observed) if event.object.meta.name == "s"]
    assert [event.change for event in seen] == ["modified"]
