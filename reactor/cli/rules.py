"""The settings of the adaptor in the cluster, as far as decisions depend on them."""

from __future__ import annotations

import msgspec

from reactor.check import adaptor
from reactor.check.cluster import Cluster
from reactor.errors import Terminal
from reactor.translate.situation import Rules


async def rules(cluster: Cluster, *, domain: str | None) -> Rules:
    """What its Deployment says; ``domain`` is the cluster domain when it was given.

    Where no Deployment is, or none may be read (by one who may see a single namespace), the
    defaults are what most have.
    """
    try:
        found = await cluster.deployments()
    except Terminal:
        found = []
    said = adaptor.rules(found[0] if found else None)
    return said if domain is None else msgspec.structs.replace(said, cluster_domain=domain)
