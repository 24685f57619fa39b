"""CustomResourceDefinitions that come, change and go: what a watcher of their kind sees."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import aclosing

from tests.cluster.api import CRDS, Api, ApiError, Object, Resource
from tests.cluster.prepare import apply_definitions
from tests.contract.cluster import Cluster

Seen = tuple[str, object]


def definition(group: str) -> Object:
    """A kind of the test's own, in two versions."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"gadgets.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": "Gadget", "plural": "gadgets"},
            "versions": [
                {
                    "name": name,
                    "served": True,
                    "storage": name == "v1",
                    "schema": {"openAPIV3Schema": schema},
                }
                for name in ("v1", "v2")
            ],
        },
    }


async def watched(api: Api, resource: Resource, namespace: str, since: str) -> list[Seen]:
    """All events until the watch ends; an error tells its code instead of a name."""
    seen: list[Seen] = []
    async with (
        asyncio.timeout(45),
        aclosing(api.watch(resource, namespace, resource_version=since)) as stream,
    ):
        async for event in stream:
            found = event["object"]
            seen.append((event["type"], found.get("code") or found["metadata"].get("name")))
    return seen


async def test_a_kind_that_comes_changes_and_goes(cluster: Cluster) -> None:
    api, namespace = cluster.api, cluster.namespace
    group = f"g{uuid.uuid4().hex[:8]}.tests.io"
    gadgets = Resource(group, "v1", "gadgets")
    assert (await api.request("GET", gadgets.path(namespace)))[0] == 404
    await apply_definitions(api, definition(group))
    body = {"apiVersion": f"{group}/v1", "kind": "Gadget", "metadata": {"name": "a"}}
    created = await api.create(gadgets, body, namespace)
    since = created["metadata"]["resourceVersion"]

    # A version that is served no more ends the watches of all, and what they began from.
    async with asyncio.TaskGroup() as tasks:
        kept = tasks.create_task(watched(api, gadgets, namespace, since))
        ended = tasks.create_task(watched(api, gadgets.at("v2"), namespace, since))
        await _subscribed(api, gadgets, namespace)
        live = await api.get(CRDS, f"gadgets.{group}")
        live["spec"]["versions"][1]["served"] = False
        await api.replace(CRDS, live)
    assert [brief for brief in kept.result() if brief[1] == "a"] == []
    assert [brief for brief in ended.result() if brief[1] == "a"] == []
    await _until(api, gadgets.at("v2").path(namespace), 404)
    await _ready(api, gadgets, namespace)
    assert await watched(api, gadgets, namespace, since) == [("ERROR", 410)]

    # Deleting the definition deletes its objects, with an event for each.
    listed = await api.list(gadgets, namespace)
    version = listed["metadata"]["resourceVersion"]
    async with asyncio.TaskGroup() as tasks:
        last = tasks.create_task(watched(api, gadgets, namespace, version))
        await _subscribed(api, gadgets, namespace)
        await api.delete(CRDS, f"gadgets.{group}")
    assert last.result()[-1] == ("DELETED", "a")
    await _until(api, gadgets.path(namespace), 404)
    assert (await api.request("GET", f"/apis/{group}"))[0] == 404


async def _subscribed(api: Api, resource: Resource, namespace: str) -> None:
    """A change that a watch sees has reached all watches that began before it."""
    probe = {"apiVersion": f"{resource.group}/v1", "kind": "Gadget", "metadata": {"name": "probe"}}
    await asyncio.sleep(0)
    await api.create(resource, probe, namespace)
    await api.delete(resource, "probe", namespace)


async def _until(api: Api, path: str, status: int) -> None:
    async with asyncio.timeout(45):
        while True:
            if (await api.request("GET", path))[0] == status:
                return
            await asyncio.sleep(0.02)


async def _ready(api: Api, resource: Resource, namespace: str) -> None:
    """The real server answers watches with 429 while it builds the cache of a changed kind."""
    async with asyncio.timeout(45):
        while True:
            try:
                async with aclosing(api.watch(resource, namespace, timeoutSeconds="1")) as stream:
                    await anext(stream)
            except ApiError as error:
                if error.status != 429:
                    raise
            else:
                return
            await asyncio.sleep(0.02)
