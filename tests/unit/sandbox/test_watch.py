"""Watches beyond what the contract compares: bookmarks, compaction, definitions that change."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from reactor.sandbox import crds
from reactor.sandbox.server import Sandbox
from tests.unit.sandbox.client import CONFIGMAPS, SPLITS, Client, Stream, configmap, split

DEFINITION = "trafficsplits.split.smi-spec.io"


@pytest_asyncio.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(bookmark_seconds=0.02) as sandbox:
        yield sandbox


async def test_bookmarks_tell_the_newest_version_of_all(sandbox: Sandbox, client: Client) -> None:
    async with client.watch(
        SPLITS, allowWatchBookmarks="true", resourceVersion=str(sandbox.cluster.version)
    ) as stream:
        sandbox.cluster.create(configmap("elsewhere"))
        version = str(sandbox.cluster.version)
        while True:
            event = await stream.event()
            assert event["type"] == "BOOKMARK"
            assert event["object"]["kind"] == "TrafficSplit"
            if event["object"]["metadata"]["resourceVersion"] == version:
                return


async def test_no_bookmark_overtakes_an_event_that_is_held_back(
    sandbox: Sandbox, client: Client
) -> None:
    async with client.watch(
        SPLITS, allowWatchBookmarks="true", resourceVersion=str(sandbox.cluster.version)
    ) as stream:
        held = sandbox.faults.hold_events("trafficsplits")
        before = sandbox.cluster.version
        sandbox.cluster.create(split("a"))
        # Others get bookmarks meanwhile.
        async with client.watch(
            CONFIGMAPS, allowWatchBookmarks="true", resourceVersion=str(sandbox.cluster.version)
        ) as other:
            assert (await other.event())["type"] == "BOOKMARK"
        held.lift()
        event = await stream.event()
        while event["type"] == "BOOKMARK":
            assert int(event["object"]["metadata"]["resourceVersion"]) <= before
            event = await stream.event()
        assert event["type"] == "ADDED"


async def test_bookmarks_can_be_switched_off(sandbox: Sandbox, client: Client) -> None:
    sandbox.faults.bookmarks = False
    async with client.watch(
        SPLITS,
        allowWatchBookmarks="true",
        resourceVersion=str(sandbox.cluster.version),
        timeoutSeconds="1",
    ) as stream:
        assert await stream.rest() == b""


async def test_a_watch_from_before_a_compaction_expires(sandbox: Sandbox, client: Client) -> None:
    sandbox.cluster.create(split("a"))
    before = sandbox.cluster.version
    sandbox.cluster.create(split("b"))
    sandbox.faults.compact()
    async with client.watch(SPLITS, resourceVersion=str(before)) as stream:
        event = await stream.event()
    now = sandbox.cluster.version
    assert event == {
        "type": "ERROR",
        "object": {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": f"too old resource version: {before} ({now})",
            "reason": "Expired",
            "code": 410,
        },
    }


async def test_a_watch_from_now_on_survives_a_compaction(sandbox: Sandbox, client: Client) -> None:
    sandbox.cluster.create(split("a"))
    sandbox.faults.compact()
    async with client.watch(SPLITS, resourceVersion=str(sandbox.cluster.version)) as stream:
        sandbox.cluster.create(split("b"))
        assert await stream.brief() == ("ADDED", "b")


async def test_history_that_is_full_forgets_the_oldest(client: Client) -> None:
    async with Sandbox(history=2) as sandbox, Client.connect(sandbox) as small:
        start = sandbox.cluster.version
        for name in ("a", "b", "c"):
            sandbox.cluster.create(split(name))
        async with small.watch(SPLITS, resourceVersion=str(start)) as stream:
            assert (await stream.event())["object"]["code"] == 410
        async with small.watch(SPLITS, resourceVersion=str(start + 1)) as stream:
            assert [await stream.brief() for _ in range(2)] == [("ADDED", "b"), ("ADDED", "c")]


async def test_deleting_a_definition_deletes_its_objects_and_ends_its_watches(
    sandbox: Sandbox, client: Client
) -> None:
    sandbox.cluster.create(split("a"))
    sandbox.cluster.create(split("b"))
    version = str(sandbox.cluster.version)
    path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{DEFINITION}"
    async with client.watch(SPLITS, resourceVersion=version) as stream:
        assert (await client.send("DELETE", path))[0] == 200
        assert [await stream.brief() for _ in range(2)] == [("DELETED", "a"), ("DELETED", "b")]
        with pytest.raises(EOFError):
            await stream.event()
    assert await client.get(SPLITS) == (404, {"text": "404 page not found\n"})
    assert (await client.get("/apis/split.smi-spec.io"))[0] == 404
    sandbox.cluster.create(crds.traffic_split())
    status, body = await client.get(SPLITS)
    assert (status, body["items"]) == (200, [])


async def test_a_version_that_is_served_no_more_ends_the_watches(
    sandbox: Sandbox, client: Client
) -> None:
    sandbox.cluster.create(split("a"))
    definition = sandbox.cluster.get("customresourcedefinitions", DEFINITION)
    assert definition is not None
    async with client.watch(SPLITS, resourceVersion=str(sandbox.cluster.version)) as stream:
        definition["spec"]["versions"][1]["served"] = False
        sandbox.cluster.apply(definition)
        with pytest.raises(EOFError):
            await stream.event()
    assert (await client.get(SPLITS))[0] == 404
    other = SPLITS.replace("v1alpha2", "v1alpha1")
    assert (await client.get(other))[1]["items"][0]["apiVersion"] == "split.smi-spec.io/v1alpha1"


async def test_after_its_definition_changed_a_watch_must_begin_anew(
    sandbox: Sandbox, client: Client
) -> None:
    sandbox.cluster.create(split("a"))
    before = sandbox.cluster.version
    definition = sandbox.cluster.get("customresourcedefinitions", DEFINITION)
    assert definition is not None
    definition["spec"]["versions"][3]["served"] = False
    sandbox.cluster.apply(definition)
    async with client.watch(SPLITS, resourceVersion=str(before)) as stream:
        assert (await stream.event())["object"]["code"] == 410


async def test_a_change_of_status_alone_ends_no_watch(sandbox: Sandbox, client: Client) -> None:
    path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{DEFINITION}"
    async with client.watch(SPLITS, resourceVersion=str(sandbox.cluster.version)) as stream:
        await client.merge(path, {"metadata": {"labels": {"a": "b"}}})
        sandbox.cluster.create(split("a"))
        assert await stream.brief() == ("ADDED", "a")


async def test_a_watch_as_a_table_has_its_columns_once(sandbox: Sandbox, client: Client) -> None:
    async with client._session.get(
        sandbox.url + SPLITS,
        params={"watch": "1", "resourceVersion": str(sandbox.cluster.version)},
        headers={"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"},
    ) as response:
        sandbox.cluster.create(split("a", service="web"))
        sandbox.cluster.create(split("b", service="app"))
        stream = Stream(response)
        first, second = await stream.event(), await stream.event()
    names = [column["name"] for column in first["object"]["columnDefinitions"]]
    assert names == ["Name", "Service"]
    assert second["object"]["columnDefinitions"] is None
    assert second["object"]["rows"][0]["cells"] == ["b", "app"]


async def test_a_thousand_deletes_reach_every_watch(sandbox: Sandbox, client: Client) -> None:
    for number in range(1000):
        sandbox.cluster.put(split(f"s-{number:03}"))
    async with client.watch(SPLITS, resourceVersion=str(sandbox.cluster.version)) as stream:
        assert sandbox.cluster.remove_all("trafficsplits") == 1000
        seen = [await stream.brief() for _ in range(1000)]
    assert seen == [("DELETED", f"s-{number:03}") for number in range(1000)]
