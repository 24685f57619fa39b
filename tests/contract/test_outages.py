"""API servers that go away, forget, or don't serve our kinds: the adaptor waits and catches up."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from reactor.events import Observed, Synced
from tests.cluster.api import SERVICEPROFILES, TRAFFICSPLITS, Api
from tests.cluster.control_plane import ControlPlane
from tests.cluster.prepare import prepare
from tests.contract.adaptor import Adaptor
from tests.contract.cluster import Cluster
from tests.contract.outages import (
    held_off,
    restart_without_history,
    start_server,
    stop_server,
    unserved,
    until_lost,
    without_definition,
)
from tests.contract.waiting import until, until_async

SPLITS = "trafficsplits.split.smi-spec.io"
PROFILES = "serviceprofiles.linkerd.io"
SEVERAL = 100


@pytest.fixture(scope="module")
def control_plane(
    cluster_programs: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ControlPlane]:
    """One to break: the tests of other modules have theirs."""
    with ControlPlane(tmp_path_factory.mktemp("control-plane")) as plane:
        # A thread of its own: asyncio.run here would take the event loop from the running test.
        with ThreadPoolExecutor(1) as executor:
            executor.submit(asyncio.run, _prepare(plane)).result()
        yield plane


async def _prepare(plane: ControlPlane) -> None:
    async with Api.connect(plane.admin_kubeconfig) as api:
        await prepare(api)


async def stand(cluster: Cluster) -> Adaptor:
    """An adaptor that has made the profile of `web` from split `s`: a 1."""
    adaptor = await cluster.adaptor().start()
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])
    await cluster.settled(adaptor)
    adaptor.forget_events()
    return adaptor


async def ends(adaptor: Adaptor, service: str = "web") -> list[str]:
    """How the decisions about a service ended."""
    return [row["outcome"] for row in await adaptor.rows(kind="synced", service=service)]


async def ready(adaptor: Adaptor) -> None:
    """Wait until /ready says so."""
    await until(lambda: not adaptor.daemon.reasons())


async def test_an_api_server_that_restarts_is_followed_again(cluster: Cluster) -> None:
    adaptor = await stand(cluster)
    await stop_server(cluster)
    await until_lost(adaptor)
    assert adaptor.daemon.reasons() == []  # a restart is no reason to alarm anybody

    await start_server(cluster)

    await cluster.set_weights("s", [("a", 2)])
    await cluster.wait_overrides("web", [("a", "2")])
    await adaptor.event(Synced, lambda event: event.outcome == "patched")
    assert await ends(adaptor) == ["created", "patched"]


async def test_an_adaptor_that_starts_before_its_api_server_waits_for_it(cluster: Cluster) -> None:
    await cluster.create_split("s", "web", [("a", 1)])
    await stop_server(cluster)
    adaptor = await cluster.adaptor().start(wait=False)
    health = adaptor.daemon.parts.profile_reflector.health
    await until(lambda: health.restarts["failed"])
    reasons = adaptor.daemon.reasons()
    assert [reason for reason in reasons if adaptor.daemon.parts.connection.server in reason]

    await start_server(cluster)

    await cluster.wait_overrides("web", [("a", "1")])
    await ready(adaptor)


async def test_what_happened_in_a_forgotten_history_is_found_by_a_list(cluster: Cluster) -> None:
    adaptor = await stand(cluster)
    await cluster.create_split("t", "shop", [("b", 1)])
    await cluster.wait_overrides("shop", [("b", "1")])
    await cluster.settled(adaptor)
    async with held_off(adaptor):
        await stop_server(cluster)
        await until_lost(adaptor)
        await start_server(cluster)
        await cluster.set_weights("s", [("a", 2)])
        await cluster.delete_split("t")
        await cluster.create_split("u", "cart", [("c", 1)])
        await restart_without_history(cluster)

    await cluster.wait_overrides("web", [("a", "2")])
    await cluster.wait_no_profile("shop")
    await cluster.wait_overrides("cart", [("c", "1")])
    assert adaptor.daemon.parts.split_reflector.health.restarts["expired"] >= 1
    gone = await adaptor.event(Observed, lambda event: event.change == "deleted")
    assert (gone.object.meta.name, gone.proved) == ("t", True)


async def test_a_hundred_deletes_that_nobody_told_of_are_found_by_a_list(
    cluster: Cluster,
) -> None:
    adaptor = await cluster.adaptor().start()
    slots = asyncio.Semaphore(32)

    async def create(number: int) -> None:
        async with slots:
            await cluster.create_split(f"s-{number}", f"web-{number}", [("a", 1)])

    await asyncio.gather(*map(create, range(SEVERAL)))
    await until(lambda: len(adaptor.events(Synced)) >= SEVERAL)
    async with held_off(adaptor):
        await stop_server(cluster)
        await until_lost(adaptor)
        await start_server(cluster)
        await cluster.api.delete_all(TRAFFICSPLITS, cluster.namespace)
        await restart_without_history(cluster)

    async def empty() -> bool:
        return not await cluster.api.items(SERVICEPROFILES, cluster.namespace)

    await until_async(empty)
    await adaptor.idle()
    assert len(await adaptor.rows(kind="synced", outcome="deleted")) == SEVERAL


@pytest.mark.parametrize(
    ("name", "words"),
    [(SPLITS, "config/crd/trafficsplit.yaml"), (PROFILES, "Linkerd's CRDs")],
    ids=["TrafficSplit", "ServiceProfile"],
)
async def test_a_kind_that_appears_after_the_start_is_waited_for_and_named(
    cluster: Cluster, name: str, words: str
) -> None:
    async with without_definition(cluster, name):
        adaptor = await cluster.adaptor().start(wait=False)

        def told() -> bool:
            return any(words in reason for reason in adaptor.daemon.reasons())

        await until(told)

    await cluster.create_split("s", "web", [("a", 1)])

    await cluster.wait_overrides("web", [("a", "1")])
    await ready(adaptor)


async def test_splits_that_go_with_their_definition_are_obeyed_and_new_ones_too(
    cluster: Cluster,
) -> None:
    adaptor = await stand(cluster)
    health = adaptor.daemon.parts.split_reflector.health
    async with without_definition(cluster, SPLITS):
        await cluster.wait_no_profile("web")
        await until(lambda: health.restarts["missing"])
        await adaptor.event(Synced, lambda event: event.outcome == "deleted")

    await cluster.create_split("s", "web", [("a", 3)])

    await cluster.wait_overrides("web", [("a", "3")])
    await adaptor.event(Synced, lambda event: event.outcome == "created")
    assert await ends(adaptor) == ["created", "deleted", "created"]
    await ready(adaptor)


async def test_profiles_that_go_with_their_definition_are_made_again_when_it_is_back(
    cluster: Cluster,
) -> None:
    adaptor = await stand(cluster)
    health = adaptor.daemon.parts.profile_reflector.health
    async with without_definition(cluster, PROFILES):
        await until(lambda: health.restarts["missing"])
        await cluster.set_weights("s", [("a", 2)])
        await adaptor.event(Synced, lambda event: event.outcome == "failed")

    await cluster.wait_overrides("web", [("a", "2")])
    await ready(adaptor)


@pytest.mark.parametrize("change", ["weights", "deletion"])
async def test_profiles_that_stay_while_nobody_serves_them_are_known_again_afterwards(
    cluster: Cluster, change: str
) -> None:
    adaptor = await stand(cluster)
    before = await cluster.profile("web")
    assert before is not None
    async with unserved(cluster, PROFILES, SERVICEPROFILES):
        if change == "weights":
            await cluster.set_weights("s", [("a", 2)])
        else:
            await cluster.delete_split("s")
        await adaptor.event(Synced, lambda event: event.status == 404)

    if change == "weights":
        live = await cluster.wait_overrides("web", [("a", "2")])
        assert live["metadata"]["uid"] == before["metadata"]["uid"]
    else:
        await cluster.wait_no_profile("web")
    await ready(adaptor)


async def test_a_token_that_expired_is_named_and_the_next_one_in_its_file_is_taken(
    cluster: Cluster, tmp_path: Path
) -> None:
    config = json.loads(cluster.kubeconfig.read_text())
    (user,) = config["users"]
    token = user["user"].pop("token")
    user["user"]["tokenFile"] = str(tmp_path / "token")
    (tmp_path / "token").write_text("long-gone\n")
    cluster.kubeconfig = tmp_path / "rotated.kubeconfig"
    cluster.kubeconfig.write_text(json.dumps(config))
    adaptor = await cluster.adaptor().start(wait=False)
    now = time.time
    adaptor.daemon.parts.connection._credentials._clock = lambda: now() * 20
    await until(lambda: any("renew them" in reason for reason in adaptor.daemon.reasons()))

    (tmp_path / "token").write_text(f"{token}\n")

    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])
    await ready(adaptor)
