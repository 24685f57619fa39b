"""Namespaces that go away, and what a deleted owner leaves behind."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from reactor.sandbox.server import Sandbox
from tests.unit.sandbox.client import CONFIGMAPS, SPLITS, Client, Document, configmap, split

HOLD = "tests.smi.linkerd.io/hold"


def namespace(name: str) -> Document:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def owner(document: Document) -> Document:
    return {
        "apiVersion": document["apiVersion"],
        "kind": document["kind"],
        "name": document["metadata"]["name"],
        "uid": document["metadata"]["uid"],
    }


async def gone(client: Client, path: str) -> None:
    """Wait until an object is no more."""
    directory, _, name = path.rpartition("/")
    _, listed = await client.get(directory)
    version = listed["metadata"]["resourceVersion"]
    if name not in [item["metadata"]["name"] for item in listed["items"]]:
        return
    async with client.watch(directory, resourceVersion=version) as stream:
        while await stream.brief() != ("DELETED", name):
            pass


async def test_a_namespace_takes_its_contents_along(sandbox: Sandbox, client: Client) -> None:
    await client.create("/api/v1/namespaces", namespace("team"))
    for number in range(3):
        sandbox.cluster.create(configmap(f"c{number}", "team"))
    status, marked = await client.send("DELETE", "/api/v1/namespaces/team")
    assert status == 200
    assert marked["status"]["phase"] == "Terminating"
    await gone(client, "/api/v1/namespaces/team")
    assert sandbox.cluster.count("configmaps", "team") == 0


async def test_a_finalizer_inside_keeps_the_namespace_terminating(
    sandbox: Sandbox, client: Client
) -> None:
    await client.create("/api/v1/namespaces", namespace("team"))
    held = configmap("held", "team")
    held["metadata"]["finalizers"] = [HOLD]
    sandbox.cluster.create(held)
    await client.send("DELETE", "/api/v1/namespaces/team")
    path = "/api/v1/namespaces/team/configmaps"
    status, refused = await client.send("POST", path, configmap("late", "team"))
    assert status == 403
    assert refused["details"]["causes"][0]["reason"] == "NamespaceTerminating"
    status, again = await client.send("POST", "/api/v1/namespaces", namespace("team"))
    assert status == 409
    assert again["message"] == 'object is being deleted: namespaces "team" already exists'
    await client.merge(f"{path}/held", {"metadata": {"finalizers": None}})
    await gone(client, "/api/v1/namespaces/team")
    await client.create("/api/v1/namespaces", namespace("team"))


async def test_what_a_deleted_owner_owned_goes_too(sandbox: Sandbox, client: Client) -> None:
    first = await client.create(CONFIGMAPS, configmap("owner"))
    await client.create(SPLITS, split("owned", ownerReferences=[owner(first)]))
    await client.send("DELETE", f"{CONFIGMAPS}/owner")
    await gone(client, f"{SPLITS}/owned")


async def test_another_owner_keeps_it(sandbox: Sandbox, client: Client) -> None:
    owners = [owner(await client.create(CONFIGMAPS, configmap(name))) for name in ("a", "b")]
    await client.create(SPLITS, split("owned", ownerReferences=owners))
    await client.create(SPLITS, split("witness", ownerReferences=owners[:1]))
    await client.send("DELETE", f"{CONFIGMAPS}/a")
    await gone(client, f"{SPLITS}/witness")
    assert (await client.get(f"{SPLITS}/owned"))[0] == 200


async def test_orphaned_dependents_stay(sandbox: Sandbox, client: Client) -> None:
    first = await client.create(CONFIGMAPS, configmap("owner"))
    await client.create(SPLITS, split("owned", ownerReferences=[owner(first)]))
    await client.send("DELETE", f"{CONFIGMAPS}/owner", {"propagationPolicy": "Orphan"})
    _, left = await client.get(f"{SPLITS}/owned")
    assert not left["metadata"].get("ownerReferences")


async def test_in_the_foreground_the_dependents_go_first(sandbox: Sandbox, client: Client) -> None:
    first = await client.create(CONFIGMAPS, configmap("owner"))
    await client.create(SPLITS, split("owned", ownerReferences=[owner(first)]))
    version = str(sandbox.cluster.version)
    _, marked = await client.send(
        "DELETE", f"{CONFIGMAPS}/owner", {"propagationPolicy": "Foreground"}
    )
    assert marked["metadata"]["finalizers"] == ["foregroundDeletion"]
    await gone(client, f"{CONFIGMAPS}/owner")
    assert sandbox.cluster.count("trafficsplits") == 0
    assert sandbox.cluster.version > int(version)


async def test_a_restart_keeps_the_state_and_the_port(sandbox: Sandbox) -> None:
    url = sandbox.url
    sandbox.cluster.create(split("a"))
    async with Client.connect(sandbox) as client, client.watch(SPLITS) as stream:
        assert await stream.brief() == ("ADDED", "a")
        await sandbox.stop()
        with pytest.raises((aiohttp.ClientError, EOFError)):
            await stream.event()
    await sandbox.start()
    assert sandbox.url == url
    async with Client.connect(sandbox) as client:
        assert (await client.get(f"{SPLITS}/a"))[0] == 200


async def test_stopping_with_open_watches_leaves_nothing_behind() -> None:
    async with (
        Sandbox() as sandbox,
        Client.connect(sandbox) as client,
        client.watch(SPLITS),
        client.watch(CONFIGMAPS),
    ):
        gate = sandbox.faults.hold(verb="list")
        waiting = asyncio.create_task(client.get(SPLITS))
        await gate.until(1)
        await sandbox.stop()
        with pytest.raises(aiohttp.ClientError):
            await waiting


async def test_two_sandboxes_know_nothing_of_each_other(sandbox: Sandbox) -> None:
    sandbox.cluster.create(split("a"))
    async with Sandbox() as other, Client.connect(other) as client:
        assert other.port != sandbox.port
        assert (await client.get(f"{SPLITS}/a"))[0] == 404


async def test_a_port_in_use_is_an_os_error(sandbox: Sandbox) -> None:
    other = Sandbox()
    with pytest.raises(OSError, match="in use"):
        await other.start(sandbox.port)
