"""Reflectors against the sandbox's fault script: each ends with what the server holds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from reactor.kube.profiles import Profiles
from reactor.model.serviceprofile import Override
from reactor.sandbox import crds
from reactor.sandbox.server import Sandbox

from .mirror import Mirror, mirror, until
from .objects import decode_profile

NAMESPACE = "ns"
CRD = "trafficsplits.split.smi-spec.io"
PROFILE = "web.ns.svc.cluster.local"
OVERRIDES = (Override("web.ns.svc.cluster.local", "500m"),)


def split(name: str, weight: int = 1, **annotations: str) -> dict[str, Any]:
    return {
        "apiVersion": "split.smi-spec.io/v1alpha4",
        "kind": "TrafficSplit",
        "metadata": {"name": name, "namespace": NAMESPACE, "annotations": annotations},
        "spec": {"service": "web", "backends": [{"service": "web-1", "weight": weight}]},
    }


class Scene:
    """A sandbox and a mirror of it."""

    def __init__(self, sandbox: Sandbox, found: Mirror) -> None:
        self.sandbox = sandbox
        self.mirror = found

    def write(self, name: str, weight: int = 1, **annotations: str) -> None:
        self.sandbox.cluster.apply(split(name, weight, **annotations))

    def delete(self, name: str) -> None:
        assert self.sandbox.cluster.remove("trafficsplits", name, NAMESPACE)

    async def settled(self) -> None:
        await self.mirror.equal(lambda: self.sandbox.cluster.list("trafficsplits"))


@asynccontextmanager
async def scene(
    tmp_path: Path,
    *names: str,
    silence: float = 90.0,
    before: Callable[[Sandbox], None] = lambda sandbox: None,
) -> AsyncIterator[Scene]:
    async with Sandbox() as sandbox:
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        sandbox.cluster.create(namespace)
        for name in names:
            sandbox.cluster.apply(split(name))
        before(sandbox)
        kubeconfig = sandbox.write_kubeconfig(tmp_path / "kubeconfig")
        async with mirror(kubeconfig, silence=silence) as found:
            yield Scene(sandbox, found)


async def test_a_watch_that_expires_leads_to_a_list_that_finds_what_was_missed(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path, "a", "b") as here:
        await here.settled()
        tap = here.sandbox.faults.hold_events("trafficsplits")
        here.write("a", 7)
        here.delete("b")
        await tap.until(2)
        tap.discard()
        here.sandbox.faults.expire_watches("trafficsplits")
        tap.lift()
        await here.settled()
        assert sorted(here.mirror.told()[2:]) == [("deleted", "b"), ("modified", "a")]


async def test_history_that_is_compacted_away_leads_to_a_list(tmp_path: Path) -> None:
    async with scene(tmp_path, "a", "b") as here:
        await here.settled()
        stop = here.sandbox.faults.respond(503, verb="watch", resource="trafficsplits")
        here.sandbox.faults.end_watches("trafficsplits")
        await stop.until(1)
        here.delete("b")
        here.write("a", 9)
        here.sandbox.faults.compact()
        stop.lift()
        await here.settled()
        assert here.mirror.of_splits.health.restarts["expired"] >= 1


async def test_a_thousand_deletes_that_were_missed_are_found(tmp_path: Path) -> None:
    names = [f"s-{number}" for number in range(1005)]
    async with scene(tmp_path, *names) as here:
        await here.settled()
        here.mirror.seen.clear()
        stop = here.sandbox.faults.respond(500, verb="watch", resource="trafficsplits")
        here.sandbox.faults.break_watches("trafficsplits")
        await stop.until(1)
        for name in names[:1000]:
            here.delete(name)
        here.sandbox.faults.compact()
        stop.lift()
        await here.settled()
        assert len(here.mirror.told()) == 1000
        assert all(event.proved for event in here.mirror.seen)


async def test_a_silent_connection_is_left(tmp_path: Path) -> None:
    async with scene(tmp_path, "a", silence=0.3) as here:
        await here.settled()
        assert here.sandbox.faults.silence("trafficsplits") == 1
        here.write("a", 3)
        await here.settled()
        assert ("modified", "a") in here.mirror.told()


async def test_half_a_line_loses_nothing(tmp_path: Path) -> None:
    async with scene(tmp_path, "a") as here:
        await here.settled()
        cut = here.sandbox.faults.cut_event("trafficsplits")
        here.write("a", 3)
        await cut.until(1)
        await here.settled()
        assert here.mirror.told() == [("added", "a"), ("modified", "a")]


async def test_two_mebibytes_in_one_object_arrive(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        here.write("big", 1, text="x" * (2 * 2**20))
        await here.settled()
        here.write("big", 2, text="y" * (2 * 2**20))
        await here.settled()
    assert here.mirror.told() == [("added", "big"), ("modified", "big")]


@pytest.mark.parametrize("way", ["repeat_events", "swap_events"])
async def test_events_that_come_twice_or_in_another_order_do_no_harm(
    tmp_path: Path, way: str
) -> None:
    async with scene(tmp_path, "a") as here:
        await here.settled()
        tap = getattr(here.sandbox.faults, way)("trafficsplits")
        for weight in range(2, 8):
            here.write("a", weight)
        await tap.until(1)
        tap.lift()
        here.write("a", 8)
        await here.settled()
        split = here.mirror.splits.get(NAMESPACE, "a")
        assert split is not None
        assert split.backends[0].weight.text == "8"


async def test_a_busy_server_is_given_the_time_that_it_asks_for(tmp_path: Path) -> None:
    def busy(sandbox: Sandbox) -> None:
        sandbox.faults.respond(
            429, headers={"Retry-After": "1"}, verb="list", resource="trafficsplits", times=1
        )

    async with scene(tmp_path, "a", before=busy) as here:
        await here.settled()
        lists = here.sandbox.asked("list", "trafficsplits")
    assert [call.status for call in lists] == [429, 200]


async def test_a_storm_of_errors_passes(tmp_path: Path) -> None:
    async with scene(tmp_path, "a") as here:
        await here.settled()
        storm = [
            here.sandbox.faults.respond(code, resource="trafficsplits", times=3)
            for code in (500, 503)
        ]
        here.sandbox.faults.break_watches()
        here.write("a", 4)
        for rule in storm:
            await rule.until(3)
        await here.settled()


async def test_a_restart_of_the_server_is_survived(tmp_path: Path) -> None:
    async with scene(tmp_path, "a") as here:
        await here.settled()
        await here.sandbox.stop()
        await until(lambda: here.mirror.of_splits.health.restarts["failed"] > 0)
        here.write("b")
        await here.sandbox.start(here.sandbox.port)
        await here.settled()


async def test_a_token_that_is_revoked_is_told_until_it_holds_again(tmp_path: Path) -> None:
    async with scene(tmp_path, "a") as here:
        await here.settled()
        token = here.sandbox.token
        here.sandbox.tokens.revoke(token)
        here.sandbox.faults.break_watches()
        await until(lambda: here.mirror.of_splits.health.restarts["refused"] > 0)
        assert "doesn't accept our credentials" in (here.mirror.of_splits.health.waiting or "")


async def test_definitions_appear_vanish_and_come_back(tmp_path: Path) -> None:
    def without(sandbox: Sandbox) -> None:
        assert sandbox.cluster.remove("customresourcedefinitions", CRD, "")

    async with scene(tmp_path, before=without) as here:
        health = here.mirror.of_splits.health
        await until(lambda: health.restarts["missing"] > 0)
        assert health.unready() == "the CRD is missing: apply it"
        here.sandbox.cluster.create(crds.traffic_split())
        here.write("a")
        await here.settled()
        assert health.unready() is None
        here.sandbox.cluster.remove("customresourcedefinitions", CRD, "")
        missing = health.restarts["missing"]
        await until(lambda: health.restarts["missing"] > missing)
        assert here.mirror.told() == [("added", "a"), ("deleted", "a")]
        assert here.mirror.seen[-1].proved, "they were deleted with their definition"
        here.sandbox.cluster.create(crds.traffic_split())
        here.write("b")
        await here.settled()


async def test_a_kind_that_is_away_for_a_while_proves_no_deletion(tmp_path: Path) -> None:
    async with scene(tmp_path, "a", "b") as here:
        await here.settled()
        tap = here.sandbox.faults.hold_events("trafficsplits")
        here.delete("b")  # while nobody could see it
        tap.discard()
        tap.lift()
        here.sandbox.faults.hide("trafficsplits")
        missing = here.mirror.of_splits.health.restarts
        await until(lambda: missing["missing"] > 1)
        assert len(here.mirror.splits) == 2
        here.sandbox.faults.show("trafficsplits")
        await here.settled()
        assert here.mirror.told()[2:] == [("deleted", "b")]
        assert not here.mirror.seen[-1].proved


async def test_a_change_of_the_served_versions_is_followed(tmp_path: Path) -> None:
    async with scene(tmp_path, "a") as here:
        await here.settled()
        definition = here.sandbox.cluster.get("customresourcedefinitions", CRD, "")
        assert definition is not None
        for version in definition["spec"]["versions"]:
            version["served"] = version["name"] in ("v1alpha1", "v1alpha2")
        here.sandbox.cluster.apply(definition)
        await until(lambda: here.mirror.of_splits.health.restarts["moved"] == 1)
        here.sandbox.cluster.apply({**split("a", 5), "apiVersion": "split.smi-spec.io/v1alpha2"})
        await until(lambda: here.mirror.told() == [("added", "a"), ("modified", "a")])
        found = here.mirror.splits.get(NAMESPACE, "a")
        assert found is not None
        assert found.api_version == "split.smi-spec.io/v1alpha2"


class TestOurOwnWrites:
    async def test_a_write_comes_back_as_an_echo(self, tmp_path: Path) -> None:
        async with scene(tmp_path) as here:
            await here.mirror.of_profiles.synced()
            await until(lambda: here.mirror.of_profiles.health.established)
            tap = here.sandbox.faults.hold_events("serviceprofiles")
            writer = Profiles(connection=here.mirror.connection, decode=decode_profile)
            stored = await writer.create(NAMESPACE, PROFILE, OVERRIDES)
            assert stored.ours
            assert stored.only_ours
            here.mirror.profiles.put(stored)
            changed = await writer.patch(NAMESPACE, PROFILE, (), stored.meta.resource_version)
            here.mirror.profiles.put(changed)
            meta = changed.meta
            assert await writer.delete(NAMESPACE, PROFILE, meta.uid, meta.resource_version)
            here.mirror.profiles.remove(NAMESPACE, PROFILE, meta.uid)
            tap.lift()
            await until(lambda: len(here.mirror.seen) == 3)
            assert [event.change for event in here.mirror.seen] == ["echo"] * 3
            assert len(here.mirror.profiles) == 0

    async def test_an_answer_that_comes_after_its_event_changes_nothing(
        self, tmp_path: Path
    ) -> None:
        async with scene(tmp_path) as here:
            await here.mirror.of_profiles.synced()
            writer = Profiles(connection=here.mirror.connection, decode=decode_profile)
            stored = await writer.create(NAMESPACE, PROFILE, OVERRIDES)
            await until(lambda: len(here.mirror.seen) == 1)
            assert here.mirror.seen[0].change == "added"
            assert here.mirror.seen[0].actor == "smi-adaptor"
            assert here.mirror.profiles.put(stored) == ()
