"""Reads what the adaptor watches, once: for a command that compares, not for the adaptor."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar
from urllib.parse import quote

import msgspec

from reactor.errors import Terminal
from reactor.kube import listing
from reactor.kube.discovery import Newest
from reactor.kube.requests import Requests
from reactor.kube.store import HasMeta
from reactor.model import service, serviceprofile, trafficsplit
from reactor.model.decode import parse_object
from reactor.model.service import ServiceState
from reactor.model.serviceprofile import ServiceProfile
from reactor.model.trafficsplit import TrafficSplit

T = TypeVar("T", bound=HasMeta)


class Snapshot(msgspec.Struct, frozen=True):
    """The splits, profiles and Services of a cluster or a namespace, as one look shows them.

    ``services`` by namespace and name; each namespace that was looked at and has a split or a
    Service is there. What `reactor.translate.survey` judges.
    """

    splits: tuple[TrafficSplit, ...]
    profiles: tuple[ServiceProfile, ...]
    services: dict[str, dict[str, ServiceState]]


async def take(connection: Requests, *, domain: str, namespace: str | None = None) -> Snapshot:
    """Read one namespace, or all of them; ``domain`` is the cluster's.

    A kind that nothing serves has no objects. Terminal when they may not be listed.
    """
    served = await Newest(
        connection=connection,
        group=trafficsplit.GROUP,
        plural=trafficsplit.PLURAL,
        versions=trafficsplit.VERSIONS,
    ).path()
    profiles = await _all(
        connection,
        f"/apis/{serviceprofile.GROUP}/{serviceprofile.VERSION}/{serviceprofile.PLURAL}",
        namespace,
        lambda raw: serviceprofile.decode(parse_object(raw)),
    )
    # After the profiles, so that the split of a profile is there, however young it is.
    splits = await _all(
        connection,
        served,
        namespace,
        lambda raw: trafficsplit.decode(parse_object(raw), domain=domain),
    )
    services: dict[str, dict[str, ServiceState]] = {split.meta.namespace: {} for split in splits}
    for found in await _all(
        connection,
        f"/api/{service.VERSION}/{service.PLURAL}",
        namespace,
        lambda raw: service.decode(parse_object(raw)),
    ):
        state: ServiceState = "headless" if found.headless else "present"
        services.setdefault(found.meta.namespace, {})[found.meta.name] = state
    return Snapshot(splits, profiles, services)


async def _all(
    connection: Requests,
    collection: str | None,
    namespace: str | None,
    decode: Callable[[msgspec.Raw], T],
) -> tuple[T, ...]:
    if collection is None:
        return ()
    base, _, plural = collection.rpartition("/")
    path = collection if namespace is None else f"{base}/namespaces/{quote(namespace)}/{plural}"
    try:
        found = await listing.fetch(connection, path, resource=plural, decode=decode)
    except Terminal as error:
        if error.status == 404:
            return ()
        raise
    return tuple(found.objects)
