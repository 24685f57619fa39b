"""Writes of ServiceProfiles: values in, the stored profile out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote

import msgspec

from reactor.errors import Retryable, Terminal
from reactor.kube.connection import MERGE_PATCH, Response
from reactor.kube.requests import Requests
from reactor.model import serviceprofile
from reactor.model.serviceprofile import FIELD_MANAGER, Override, ServiceProfile

_MANAGED = {"fieldManager": FIELD_MANAGER}
_IN_FLIGHT = 32
_TIMEOUT = 30.0  # seconds


class _Answer(msgspec.Struct):
    kind: str = ""


class Profiles:
    """ServiceProfiles of a cluster; at most ``in_flight`` writes at a time.

    Each method raises Conflict (look and decide again), Retryable (with ``sent`` when the write
    may have taken effect) or Terminal (causes: NamespaceTerminating, NamespaceNotFound, ...).
    """

    def __init__(
        self,
        *,
        connection: Requests,
        decode: Callable[[msgspec.Raw], ServiceProfile],
        in_flight: int = _IN_FLIGHT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = connection
        self._decode = decode
        self._slots = asyncio.Semaphore(in_flight)
        self._clock = clock
        self._busy = 0
        self._ended = clock()

    @property
    def rested(self) -> float:
        """Seconds since the last request ended; 0 while one is under way."""
        return 0.0 if self._busy else self._clock() - self._ended

    async def get(self, namespace: str, name: str) -> ServiceProfile | None:
        """The live profile, None when there is none."""
        try:
            return await self._send("GET", _path(namespace, name))
        except Terminal as error:
            if error.status == 404 and error.reason == "NotFound":
                return None
            raise  # a 404 of the path alone says nothing of the profile

    async def create(
        self, namespace: str, name: str, overrides: Sequence[Override]
    ) -> ServiceProfile:
        """A new profile that holds nothing but these overrides."""
        body = serviceprofile.create_body(namespace, name, overrides)
        return await self._send("POST", _path(namespace), query=_MANAGED, body=body)

    async def patch(
        self,
        namespace: str,
        name: str,
        overrides: Sequence[Override] | None,
        resource_version: str,
    ) -> ServiceProfile:
        """Sets dstOverrides (None: removes them) of the profile at this version."""
        body = serviceprofile.patch_body(overrides, resource_version)
        return await self._send(
            "PATCH", _path(namespace, name), query=_MANAGED, body=body, content_type=MERGE_PATCH
        )

    async def delete(self, namespace: str, name: str, uid: str, resource_version: str) -> bool:
        """Deletes the profile of this uid at this version; False when a finalizer holds it."""
        body = serviceprofile.delete_body(uid, resource_version)
        answer = await self._request("DELETE", _path(namespace, name), body=body)
        try:
            return msgspec.json.decode(answer.body, type=_Answer).kind == "Status"
        except msgspec.MsgspecError:
            return False

    async def _send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        content_type: str | None = None,
    ) -> ServiceProfile:
        answer = await self._request(
            method, path, query=query, body=body, content_type=content_type
        )
        try:
            return self._decode(msgspec.Raw(answer.body))
        except Exception as error:  # a proxy's page with status 200, half an answer
            raise Retryable(
                f"{method} {path}: the answer is no ServiceProfile ({error!r})",
                sent=method != "GET",
            ) from error

    async def _request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        content_type: str | None = None,
    ) -> Response:
        async with self._slots:
            self._busy += 1
            try:
                return await self._connection.request(
                    method,
                    path,
                    query=query,
                    body=body,
                    content_type=content_type,
                    timeout=_TIMEOUT,
                    resource=serviceprofile.PLURAL,
                )
            finally:
                self._busy -= 1
                self._ended = self._clock()


def _path(namespace: str, name: str | None = None) -> str:
    collection = (
        f"/apis/{serviceprofile.GROUP}/{serviceprofile.VERSION}"
        f"/namespaces/{quote(namespace, safe='')}/{serviceprofile.PLURAL}"
    )
    return collection if name is None else f"{collection}/{quote(name, safe='')}"
