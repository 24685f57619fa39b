"""Outages that either API server can be brought to have."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.cluster.api import CRDS, SERVICEPROFILES, TRAFFICSPLITS, Object, Resource
from tests.cluster.prepare import apply_definitions
from tests.contract.adaptor import Adaptor
from tests.contract.cluster import Cluster
from tests.contract.waiting import until, until_async


async def stop_server(cluster: Cluster) -> None:
    """The API server is gone, its connections with it."""
    if cluster.sandbox is not None:
        await cluster.sandbox.stop()
    else:
        assert cluster.plane is not None
        await asyncio.to_thread(cluster.plane.stop_apiserver, kill=True)


async def start_server(cluster: Cluster) -> None:
    """It is back, with all its data."""
    if cluster.sandbox is not None:
        await cluster.sandbox.start()
    else:
        assert cluster.plane is not None
        await asyncio.to_thread(cluster.plane.start_apiserver)
        await until_async(lambda: _serves(cluster))


async def _serves(cluster: Cluster) -> bool:
    # Ready comes before the storage of custom resources is: 429 until then.
    for resource in (TRAFFICSPLITS, SERVICEPROFILES):
        status, _ = await cluster.api.request("GET", resource.path(cluster.namespace))
        if status != 200:
            return False
    return True


async def restart_without_history(cluster: Cluster) -> None:
    """It is back, and knows nothing of versions before: 410 for those who ask."""
    if cluster.sandbox is not None:
        await cluster.sandbox.stop()
        cluster.sandbox.faults.compact()
        await cluster.sandbox.start()
    else:
        assert cluster.plane is not None
        await asyncio.to_thread(cluster.plane.forget_history)
        await until_async(lambda: _serves(cluster))


@asynccontextmanager
async def held_off(adaptor: Adaptor) -> AsyncIterator[None]:
    """Once their watches break, the reflectors try again only after this ends."""
    gate = asyncio.Event()
    reflectors = [reflector for _, reflector in adaptor.daemon.parts.reflectors]
    sleeps = [reflector._sleep for reflector in reflectors]

    async def wait(seconds: float) -> None:
        await gate.wait()

    for reflector in reflectors:
        reflector._sleep = wait
    try:
        yield
    finally:
        for reflector, sleep in zip(reflectors, sleeps, strict=True):
            reflector._sleep = sleep
        gate.set()


async def until_lost(adaptor: Adaptor) -> None:
    """Wait until no reflector has a watch."""

    healths = [reflector.health for _, reflector in adaptor.daemon.parts.reflectors]
    await until(lambda: not any(health.established for health in healths))


@asynccontextmanager
async def without_definition(cluster: Cluster, name: str) -> AsyncIterator[None]:
    """The kind is not served, and its objects are gone; afterwards it is served again."""
    live = await cluster.api.get(CRDS, name)
    await cluster.api.delete(CRDS, name)
    await cluster.api.wait_for(CRDS, name, None, lambda found: found is None)
    try:
        yield
    finally:
        await apply_definitions(cluster.api, _bare(live))


def _bare(definition: Object) -> Object:
    return {
        "apiVersion": definition["apiVersion"],
        "kind": definition["kind"],
        "metadata": {"name": definition["metadata"]["name"]},
        "spec": definition["spec"],
    }


@asynccontextmanager
async def unserved(cluster: Cluster, name: str, resource: Resource) -> AsyncIterator[None]:
    """The version that we know is not served, while its objects stay; then it is again."""
    definition = await cluster.api.get(CRDS, name)
    before = copy.deepcopy(definition["spec"]["versions"])
    newer = {**copy.deepcopy(before[0]), "name": "v9", "storage": False, "served": True}
    for version in definition["spec"]["versions"]:
        version["served"] = False
    definition["spec"]["versions"].append(newer)
    path = resource.path(cluster.namespace)

    async def answers(wanted: int) -> bool:
        return (await cluster.api.request("GET", path))[0] == wanted

    await cluster.api.replace(CRDS, definition)
    await until_async(lambda: answers(404))
    try:
        yield
    finally:
        definition = await cluster.api.get(CRDS, name)
        definition["spec"]["versions"] = before
        await cluster.api.replace(CRDS, definition)
        await until_async(lambda: answers(200))
