"""A whole collection, fetched in chunks and decoded in slices."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from reactor.errors import Expired
from reactor.kube import wire
from reactor.kube.pace import Pace
from reactor.kube.requests import Requests
from reactor.kube.store import HasMeta, Name

log = logging.getLogger(__name__)

T = TypeVar("T", bound=HasMeta)
Decode = Callable[[msgspec.Raw], T]
Known = Callable[[str, str, str, str], bool]

_LIMIT = 500
_TIMEOUT = 60.0  # seconds for one chunk


class Listing(Generic[T]):
    """What a collection held at one version.

    ``others`` names what is there too, but was known already or couldn't be decoded.
    """

    def __init__(self) -> None:
        self.objects: list[T] = []
        self.others: set[Name] = set()
        self.resource_version = ""

    @property
    def version(self) -> int:
        """The list's resourceVersion as a number, 0 when it is none."""
        return int(self.resource_version) if self.resource_version.isdigit() else 0


async def fetch(
    connection: Requests,
    path: str,
    *,
    resource: str,
    decode: Decode[T],
    known: Known | None = None,
) -> Listing[T]:
    """All objects at one consistent version, never from a cache (no resourceVersion=0).

    What is ``known`` (by namespace, name, uid, resourceVersion) is not decoded again.
    """
    read = _Reader(resource, decode, known)
    try:
        return await _fetch(connection, path, _LIMIT, read)
    except Expired:
        # The snapshot that the chunks came from was compacted away: all in one answer then.
        return await _fetch(connection, path, None, read)


class _Reader(Generic[T]):
    def __init__(self, resource: str, decode: Decode[T], known: Known | None) -> None:
        self.resource = resource
        self._decode = decode
        self._known = known

    def into(self, listing: Listing[T], raw: msgspec.Raw) -> None:
        if self._known is not None and (head := wire.head(raw)) is not None:
            meta = head.metadata
            if self._known(meta.namespace, meta.name, meta.uid, meta.resource_version):
                listing.others.add((meta.namespace, meta.name))
                return
        obj = readable(raw, resource=self.resource, decode=self._decode)
        if obj is not None:
            listing.objects.append(obj)
        elif (head := wire.head(raw)) is not None:
            listing.others.add((head.metadata.namespace, head.metadata.name))


async def _fetch(
    connection: Requests, path: str, limit: int | None, read: _Reader[T]
) -> Listing[T]:
    listing: Listing[T] = Listing()
    query = {"limit": str(limit)} if limit else {}
    pace = Pace()
    while True:
        answer = await connection.request(
            "GET", path, query=query, timeout=_TIMEOUT, verb="list", resource=read.resource
        )
        pace.restart()
        page = wire.page(answer.body)
        listing.resource_version = page.metadata.resource_version
        for raw in page.items:
            await pace()
            read.into(listing, raw)
        if not page.metadata.continue_:
            return listing
        query["continue"] = page.metadata.continue_


def readable(raw: msgspec.Raw, *, resource: str, decode: Decode[T]) -> T | None:
    """The decoded object; None, and a line in the log, when it can't be."""
    try:
        return decode(raw)
    except Exception as error:  # whatever it is, one object must not end the stream
        head = wire.head(raw)
        name = f"{head.metadata.namespace}/{head.metadata.name}" if head else "without a name"
        log.warning(
            "can't decode %s %s: %s; what was known of it stays",
            resource,
            name,
            error or repr(error),
        )
        return None
