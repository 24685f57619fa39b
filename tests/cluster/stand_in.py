"""Writes profiles as the admin, for tests of what is around the adaptor.

The least that Linkerd needs: overrides in the split's order, scaled when they would overflow.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from fractions import Fraction

from tests.cluster.api import SERVICEPROFILES, TRAFFICSPLITS, Api, ApiError, Object
from tests.cluster.guide import host

_LARGEST_MILLIS = 429_496_000
_SUFFIXES = {"m": Fraction(1, 1000), "k": Fraction(1000)}


@asynccontextmanager
async def stand_in(api: Api, namespace: str) -> AsyncIterator[None]:
    """Follows the splits of one namespace while the block runs."""
    listed = await api.list(TRAFFICSPLITS, namespace)
    version = listed["metadata"]["resourceVersion"]
    task = asyncio.create_task(_follow(api, namespace, version))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _follow(api: Api, namespace: str, version: str) -> None:
    watched = api.watch(TRAFFICSPLITS, namespace, resource_version=version)
    async with aclosing(watched) as events:
        async for event in events:
            split = event["object"]
            if event["type"] == "DELETED":
                name = host(split["spec"]["service"], namespace)
                await api.delete(SERVICEPROFILES, name, namespace)
            elif event["type"] in ("ADDED", "MODIFIED"):
                await _write(api, split)


async def _write(api: Api, split: Object) -> None:
    namespace = split["metadata"]["namespace"]
    name = host(split["spec"]["service"], namespace)
    backends = split["spec"]["backends"]
    millis = _fitting([_value(backend["weight"]) * 1000 for backend in backends])
    overrides = [
        {"authority": host(backend["service"], namespace), "weight": f"{weight}m"}
        for backend, weight in zip(backends, millis, strict=True)
    ]
    spec = {"spec": {"dstOverrides": overrides}}
    try:
        await api.patch(SERVICEPROFILES, name, spec, namespace)
    except ApiError as error:
        if error.status != 404:
            raise
        profile = {"apiVersion": "linkerd.io/v1alpha2", "kind": "ServiceProfile", **spec}
        await api.create(SERVICEPROFILES, {**profile, "metadata": {"name": name}}, namespace)


def _fitting(millis: list[Fraction]) -> list[int]:
    total = sum(millis)
    if total > _LARGEST_MILLIS:
        # One unit less for each: what is rounded up to 1m must fit as well.
        millis = [weight * (_LARGEST_MILLIS - len(millis)) / total for weight in millis]
    return [max(1, int(weight)) if weight else 0 for weight in millis]


def _value(weight: object) -> Fraction:
    text = str(weight)
    if text[-1] in _SUFFIXES:
        return Fraction(text[:-1]) * _SUFFIXES[text[-1]]
    return Fraction(text)
