"""Reflectors against a real kube-apiserver that is restarted, compacted and rebuilt under them."""

from __future__ import annotations

import asyncio
from typing import Any

from reactor.errors import Conflict, Terminal
from reactor.kube.profiles import Profiles
from reactor.model.serviceprofile import Override
from tests.cluster.api import CRDS, NAMESPACES, SERVICEPROFILES, TRAFFICSPLITS, Api
from tests.cluster.control_plane import ControlPlane
from tests.cluster.crds import traffic_split_crd
from tests.unit.kube.mirror import Mirror, mirror, until
from tests.unit.kube.objects import decode_profile

NAMESPACE = "mirrored"
CRD = "trafficsplits.split.smi-spec.io"
PROFILE = f"web.{NAMESPACE}.svc.cluster.local"
OVERRIDES = (Override(PROFILE, "500m"),)


def split(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "split.smi-spec.io/v1alpha1",
        "kind": "TrafficSplit",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"service": "web", "backends": [{"service": "web-1", "weight": "1"}]},
    }


async def write(api: Api, name: str) -> None:
    await api.create(TRAFFICSPLITS, split(name), NAMESPACE)


async def settled(api: Api, found: Mirror) -> None:
    items = await api.items(TRAFFICSPLITS, NAMESPACE)
    await found.equal(lambda: items)


async def test_a_reflector_outlives_all_that_a_control_plane_does(
    private_control_plane: ControlPlane,
) -> None:
    plane = private_control_plane
    async with (
        Api.connect(plane.admin_kubeconfig) as api,
        mirror(plane.adaptor_kubeconfig) as found,
    ):
        await found.of_splits.synced()
        await api.create(NAMESPACES, {"metadata": {"name": NAMESPACE}})
        await write(api, "one")
        await settled(api, found)

        await asyncio.to_thread(plane.restart_apiserver)
        await write(api, "two")
        await settled(api, found)

        await asyncio.to_thread(plane.stop_apiserver)
        await until(lambda: not found.of_splits.health.established)
        await asyncio.to_thread(plane.start_apiserver)
        await api.delete(TRAFFICSPLITS, "one", NAMESPACE)
        await asyncio.to_thread(plane.forget_history)
        await write(api, "three")
        await settled(api, found)
        assert found.of_splits.health.restarts["expired"] > 0
        assert ("deleted", "one") in found.told()

        await api.delete(CRDS, CRD)
        await until(lambda: found.of_splits.health.restarts["missing"] > 1, 60)
        assert found.of_splits.health.waiting == "the CRD is missing: apply it"
        gone = [event for event in found.seen if event.change == "deleted"]
        assert {event.object.meta.name for event in gone} == {"one", "two", "three"}
        assert all(event.proved for event in gone)

        await api.create(CRDS, traffic_split_crd())
        await until(lambda: found.of_splits.health.established, 60)
        await write(api, "four")
        await settled(api, found)

        definition = await api.get(CRDS, CRD)
        for version in definition["spec"]["versions"]:
            version["served"] = version["name"] == "v1alpha1"
        await api.replace(CRDS, definition)
        await until(lambda: found.of_splits.health.restarts["moved"] > 0, 60)
        await write(api, "five")
        await until(lambda: found.told()[-1] == ("added", "five"))
        last = found.splits.get(NAMESPACE, "five")
        assert last is not None
        assert last.api_version == "split.smi-spec.io/v1alpha1"


async def test_writes_are_answered_as_the_sandbox_answers_them(
    control_plane: ControlPlane, cluster_namespace: str
) -> None:
    name = f"web.{cluster_namespace}.svc.cluster.local"
    async with (
        Api.connect(control_plane.admin_kubeconfig) as api,
        mirror(control_plane.adaptor_kubeconfig) as found,
    ):
        await found.of_profiles.synced()
        writer = Profiles(connection=found.connection, decode=decode_profile)
        stored = await writer.create(cluster_namespace, name, OVERRIDES)
        assert (stored.ours, stored.only_ours, stored.bare) == (True, True, True)
        assert stored.overrides == OVERRIDES
        assert await _refusal(writer.create(cluster_namespace, name, OVERRIDES)) == 409
        changed = await writer.patch(cluster_namespace, name, (), stored.meta.resource_version)
        stale = writer.patch(cluster_namespace, name, OVERRIDES, stored.meta.resource_version)
        assert await _refusal(stale) == 409
        found.profiles.put(changed)
        uid, version = changed.meta.uid, changed.meta.resource_version
        assert await writer.delete(cluster_namespace, name, uid, version)
        assert await _refusal(writer.delete(cluster_namespace, name, uid, version)) == 404
        assert await writer.get(cluster_namespace, name) is None
        assert await api.find(SERVICEPROFILES, name, cluster_namespace) is None
        assert await _refusal(writer.create("no-such-namespace", name, OVERRIDES)) == (
            "NamespaceNotFound",
        )


async def _refusal(write: Any) -> object:
    try:
        await write
    except Conflict as error:
        return error.status
    except Terminal as error:
        return error.causes
    return None
