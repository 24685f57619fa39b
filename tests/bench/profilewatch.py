"""Follows every profile of the cluster and remembers when each was seen how."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Any

import aiohttp
import msgspec

from tests.bench import workload

_PATH = "/apis/linkerd.io/v1alpha2/serviceprofiles"
Weights = tuple[str, ...]


class _Override(msgspec.Struct):
    weight: str = ""


class _Spec(msgspec.Struct):
    dstOverrides: list[_Override] = []


class _Metadata(msgspec.Struct):
    name: str = ""
    resourceVersion: str = ""


class _Profile(msgspec.Struct):
    metadata: _Metadata
    spec: _Spec = msgspec.field(default_factory=_Spec)


class _Event(msgspec.Struct):
    type: str
    object: _Profile


class _List(msgspec.Struct):
    metadata: _Metadata
    items: list[_Profile]


class ProfileWatch:
    """Decodes a name and two weights of each event and skips the rest, to stay out of the way."""

    def __init__(self, *, session: aiohttp.ClientSession, server: str, ssl: Any) -> None:
        self._session = session
        self._url = server + _PATH
        self._ssl = ssl
        self._seen: dict[str, Weights] = {}
        self._wanted: Weights | None = None
        self._missing: set[str] = set()
        self._done = asyncio.Event()
        self._done_at = 0.0
        self._version = ""
        self._decoder = msgspec.json.Decoder(_Event)

    async def start(self) -> None:
        """Reads what is there; `run` follows from that version."""
        async with self._session.get(self._url, ssl=self._ssl) as answer:
            answer.raise_for_status()
            listed = msgspec.json.decode(await answer.read(), type=_List)
        self._seen = {p.metadata.name: _weights(p) for p in listed.items}
        self._version = listed.metadata.resourceVersion

    async def run(self) -> None:
        """Follows for ever: a server short of time may end a watch at any moment."""
        while True:
            await self._follow()

    async def _follow(self) -> None:
        params = {"watch": "true", "resourceVersion": self._version, "timeoutSeconds": "3600"}
        async with self._session.get(self._url, params=params, ssl=self._ssl) as answer:
            answer.raise_for_status()
            pending = b""
            async for chunk in answer.content.iter_any():
                now = time.monotonic()
                *lines, pending = (pending + chunk).split(b"\n")
                for line in lines:
                    self._take(self._decoder.decode(line), now)

    async def expect(
        self, indices: Iterable[int], generation: int | None, *, timeout: float
    ) -> float:
        """When the last of these profiles became right; with None, when the last one vanished."""
        if generation is None:
            self._wanted = ()
            self._missing = set(self._seen)
        else:
            self._wanted = wanted = tuple(map(str, workload.weights(generation)))
            names = map(workload.profile, indices)
            self._missing = {name for name in names if self._seen.get(name) != wanted}
        self._done.clear()
        self._done_at = time.monotonic()
        if self._missing:
            try:
                async with asyncio.timeout(timeout):
                    await self._done.wait()
            except TimeoutError as error:
                some = ", ".join(sorted(self._missing)[:3])
                raise TimeoutError(
                    f"{len(self._missing)} profiles not right after {timeout} s: {some} ..."
                ) from error
        return self._done_at

    def _take(self, event: _Event, now: float) -> None:
        if event.type == "ERROR":
            raise ConnectionError("the watch of profiles got an ERROR event")
        name = event.object.metadata.name
        self._version = event.object.metadata.resourceVersion
        if event.type == "DELETED":
            self._seen.pop(name, None)
            found: Weights = ()
        else:
            found = self._seen[name] = _weights(event.object)
        if not self._missing:
            return
        if found == self._wanted:
            self._missing.discard(name)
            if not self._missing:
                self._done_at = now
                self._done.set()
        elif self._wanted == ():
            # While all should go, a profile that appears is one more to wait for.
            self._missing.add(name)


def _weights(profile: _Profile) -> Weights:
    return tuple(override.weight for override in profile.spec.dstOverrides)
