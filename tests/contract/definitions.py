"""The versions of TrafficSplit that a cluster serves, changed for a while."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.cluster.api import CRDS, TRAFFICSPLITS
from tests.contract.cluster import Cluster
from tests.contract.waiting import until_async

VERSIONS = ["v1alpha1", "v1alpha2", "v1alpha3", "v1alpha4"]
UNKNOWN = "v1beta1"
"""A version that the adaptor has never heard of."""
_NAME = "trafficsplits.split.smi-spec.io"


@asynccontextmanager
async def serving(cluster: Cluster, *versions: str) -> AsyncIterator[None]:
    """Have the cluster serve these versions of TrafficSplit only, and all again afterwards."""
    await _serve(cluster, *versions)
    try:
        yield
    finally:
        await _serve(cluster, *VERSIONS)


async def _serve(cluster: Cluster, *versions: str) -> None:
    definition = await cluster.api.get(CRDS, _NAME)
    known = [v for v in definition["spec"]["versions"] if v["name"] in VERSIONS]
    for version in versions:
        if version not in VERSIONS:
            known.append({**copy.deepcopy(known[0]), "name": version, "storage": False})
    for version in known:
        version["served"] = version["name"] in versions
    definition["spec"]["versions"] = known
    await cluster.api.replace(CRDS, definition)

    async def so_it_is() -> bool:
        found = set()
        for version in (*VERSIONS, UNKNOWN):
            path = TRAFFICSPLITS.at(version).path(cluster.namespace)
            status, _ = await cluster.api.request("GET", path)
            if status == 200:
                found.add(version)
        return found == set(versions)

    await until_async(so_it_is)
