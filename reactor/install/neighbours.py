"""What an uninstall would take along, and what it would leave: others' work, splits, overrides."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection

from reactor.errors import Terminal
from reactor.kube.objects import Object, listed
from reactor.kube.requests import Requests

_WORK = (
    "/apis/apps/v1/namespaces/{}/deployments",
    "/apis/apps/v1/namespaces/{}/statefulsets",
    "/apis/apps/v1/namespaces/{}/daemonsets",
    "/apis/batch/v1/namespaces/{}/cronjobs",
    "/api/v1/namespaces/{}/services",
    "/api/v1/namespaces/{}/persistentvolumeclaims",
)


async def shared(connection: Requests, namespaces: Collection[str], label: str) -> set[str]:
    """Those of ``namespaces`` in which something works that doesn't bear ``label``.

    A kind that one may not look at counts as if there were some: it is about a namespace's end.
    """
    name, _, value = label.partition("=")

    async def others(namespace: str) -> bool:
        for path in _WORK:
            query = {"labelSelector": f"{name}!={value}"}
            try:
                async for one in listed(connection, path.format(namespace), query=query):
                    if not one["metadata"].get("ownerReferences"):
                        return True
            except Terminal:
                return True
        return False

    ordered = sorted(namespaces)
    answers = await asyncio.gather(*map(others, ordered))
    return {namespace for namespace, answer in zip(ordered, answers, strict=True) if answer}


async def splits(connection: Requests, definition: Object) -> Counter[str]:
    """How many objects of a definition there are, by namespace."""
    spec = definition["spec"]
    served = next((one["name"] for one in spec["versions"] if one["served"]), None)
    if served is None:
        return Counter()
    path = f"/apis/{spec['group']}/{served}/{spec['names']['plural']}"
    return Counter([one["metadata"]["namespace"] async for one in listed(connection, path)])


async def overridden(connection: Requests) -> int:
    """How many ServiceProfiles have overrides, by which Linkerd divides traffic without us, too."""
    profiles = listed(connection, "/apis/linkerd.io/v1alpha2/serviceprofiles")
    return len([one async for one in profiles if (one.get("spec") or {}).get("dstOverrides")])
