"""Every object of the cluster that bears a label, whatever its kind and wherever it is."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from reactor.errors import Retryable, Terminal
from reactor.kube.objects import Object, get, listed
from reactor.kube.requests import Requests

_AT_ONCE = 8


@dataclass(frozen=True)
class Found:
    """The objects; the kinds one may not list, and a sentence for each that gave no answer."""

    objects: list[Object] = field(default_factory=list)
    forbidden: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)


class _Resource(msgspec.Struct, frozen=True):
    name: str
    verbs: list[str] = []


class _Resources(msgspec.Struct, frozen=True):
    resources: list[_Resource] = []


class _Version(msgspec.Struct, frozen=True, rename="camel"):
    group_version: str


class _Group(msgspec.Struct, frozen=True, rename="camel"):
    preferred_version: _Version


class _Groups(msgspec.Struct, frozen=True):
    groups: list[_Group] = []


async def labelled(connection: Requests, selector: str) -> Found:
    """What can be listed and deleted and matches ``selector``, each object once."""
    groups = msgspec.convert(await get(connection, "/apis") or {}, _Groups).groups
    places = ["/api/v1", *(f"/apis/{one.preferred_version.group_version}" for one in groups)]
    found = Found()
    turns = asyncio.Semaphore(_AT_ONCE)

    async def resources(place: str) -> list[str]:
        async with turns:
            try:
                answer = await get(connection, place)
            except (Retryable, Terminal) as error:
                # One extension API server that is down must not keep the rest from going.
                found.unanswered.append(str(error))
                return []
        return [f"{place}/{one}" for one in _removable(answer or {})]

    async def objects(path: str) -> None:
        async with turns:
            query = {"labelSelector": selector}
            try:
                found.objects.extend([one async for one in listed(connection, path, query=query)])
            except Terminal as error:
                if error.status == 403:
                    found.forbidden.append(path.rpartition("/")[2])
                elif error.status != 405:
                    found.unanswered.append(str(error))
            except Retryable as error:
                found.unanswered.append(str(error))

    paths = [path for some in await asyncio.gather(*map(resources, places)) for path in some]
    await asyncio.gather(*map(objects, paths))
    return Found(
        objects=_once(found.objects),
        forbidden=sorted(found.forbidden),
        unanswered=sorted(found.unanswered),
    )


def _removable(answer: Object) -> list[str]:
    read = msgspec.convert(answer, _Resources)
    wanted = {"list", "delete"}
    return [one.name for one in read.resources if "/" not in one.name and wanted <= {*one.verbs}]


def _once(objects: Sequence[Object]) -> list[Object]:
    # Some kinds are served by two groups.
    return list({one["metadata"]["uid"]: one for one in objects}.values())
