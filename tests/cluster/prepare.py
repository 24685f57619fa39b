"""What a cluster holds before the adaptor comes: definitions, and our role for one user."""

from __future__ import annotations

import asyncio

from tests.cluster.api import (
    CRDS,
    NAMESPACES,
    SERVICEPROFILES,
    TRAFFICSPLITS,
    Api,
    ApiError,
    Object,
    Resource,
)
from tests.cluster.control_plane import ADAPTOR
from tests.cluster.crds import (
    REPOSITORY,
    linkerd_crds,
    load,
    permissive_traffic_split_crd,
    service_profile_crd,
    traffic_split_crd,
)

ADAPTOR_NAMESPACE = "linkerd-smi"
_RBAC = REPOSITORY / "config" / "rbac"


async def prepare(api: Api, *, permissive: bool = False) -> None:
    """Definitions served, and user smi-adaptor bound to the roles we ship and to nothing else."""
    split = permissive_traffic_split_crd() if permissive else traffic_split_crd()
    await apply_definitions(api, split, service_profile_crd())
    await apply_roles(api)


async def prepare_for_linkerd(api: Api) -> None:
    """The rest of Linkerd's definitions, and its namespace."""
    await apply_definitions(api, *linkerd_crds())
    await ensure_namespace(api, "linkerd")


async def apply_definitions(api: Api, *definitions: Object) -> None:
    """Applies CRDs and returns when lists of each served version are answered."""
    await api.ensure(*definitions)
    for definition in definitions:
        name = definition["metadata"]["name"]
        await api.wait_for(CRDS, name, None, _established, timeout=30.0)
        for version in definition["spec"]["versions"]:
            if version["served"]:
                await _await_answer(api, definition, version["name"])


async def use_permissive_splits(api: Api) -> None:
    """Replaces the schema of TrafficSplit by one that lets everything through."""
    await _replace_definition(api, permissive_traffic_split_crd(), status=201)


async def use_shipped_splits(api: Api) -> None:
    """Back to the definition that we ship."""
    await _replace_definition(api, traffic_split_crd(), status=422)


async def apply_roles(api: Api) -> None:
    """config/rbac as it is, and the same roles for the user smi-adaptor."""
    await ensure_namespace(api, ADAPTOR_NAMESPACE)
    for path in sorted(_RBAC.glob("*.yaml")):
        for document in load(path):
            await api.ensure(document)
            if document["kind"].endswith("Binding"):
                await api.ensure(_for_user(document))


async def ensure_namespace(api: Api, name: str) -> None:
    """Creates the namespace unless it is there."""
    if await api.find(NAMESPACES, name) is None:
        await api.create(
            NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        )


async def empty_namespace(api: Api, name: str) -> None:
    """Removes a namespace's splits and profiles; the namespace itself needs a controller to go."""
    await api.delete_all(TRAFFICSPLITS, name)
    await api.delete_all(SERVICEPROFILES, name)


def _for_user(binding: Object) -> Object:
    metadata = {**binding["metadata"], "name": f"{binding['metadata']['name']}-test-user"}
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": ADAPTOR}
    return {**binding, "metadata": metadata, "subjects": [subject]}


async def _replace_definition(api: Api, definition: Object, *, status: int) -> None:
    """Returns when the new schema is in force: an odd split is answered with this status."""
    name = definition["metadata"]["name"]
    live = await api.get(CRDS, name)
    version = live["metadata"]["resourceVersion"]
    metadata = {**definition["metadata"], "resourceVersion": version}
    await api.replace(CRDS, {**definition, "metadata": metadata})
    await api.wait_for(CRDS, name, None, _established)
    odd = {
        "apiVersion": "split.smi-spec.io/v1alpha1",
        "kind": "TrafficSplit",
        "metadata": {"name": "odd"},
        "spec": {"service": 7},
    }
    async with asyncio.timeout(30.0):
        while True:
            answered, _ = await api.request(
                "POST", TRAFFICSPLITS.path("default"), json_body=odd, params={"dryRun": "All"}
            )
            if answered == status:
                return
            await asyncio.sleep(0.02)


async def _await_answer(api: Api, definition: Object, version: str) -> None:
    # Established is written before the server that wrote it serves the kind.
    spec = definition["spec"]
    resource = Resource(spec["group"], version, spec["names"]["plural"])
    async with asyncio.timeout(30.0):
        while True:
            try:
                await api.list(resource, limit="1")
            except ApiError as error:
                if error.status != 404:
                    raise
                await asyncio.sleep(0.02)
            else:
                return


def _established(definition: Object | None) -> bool:
    # Just created, a definition says `"conditions": null`.
    conditions = (definition or {}).get("status", {}).get("conditions") or []
    return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)
