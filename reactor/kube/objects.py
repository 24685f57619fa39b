"""Objects of any kind, read and written one request at a time: what a command line needs.

The reactor itself mirrors with reflectors and writes through `profiles`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec

from reactor.errors import Terminal
from reactor.kube.connection import Response
from reactor.kube.requests import Requests

Object = dict[str, Any]

_CHUNK = "500"


async def get(
    connection: Requests, path: str, *, query: Mapping[str, str] | None = None
) -> Object | None:
    """The object at ``path``, None when there is none (or nothing serves such objects)."""
    try:
        answer = await connection.request("GET", path, query=query, resource=path)
    except Terminal as error:
        if error.status == 404:
            return None
        raise
    return _decoded(answer)


async def listed(
    connection: Requests, path: str, *, query: Mapping[str, str] | None = None
) -> AsyncIterator[Object]:
    """Every object of a collection, chunk by chunk; none when nothing serves it.

    The items of a list bear no kind of their own; they get the list's here.
    """
    asked = {"limit": _CHUNK, **(query or {})}
    while True:
        page = await get(connection, path, query=asked)
        if page is None:
            return
        kind = str(page.get("kind", "")).removesuffix("List")
        for item in page.get("items") or ():
            yield {"apiVersion": page.get("apiVersion"), "kind": kind, **item}
        going_on = (page.get("metadata") or {}).get("continue")
        if not going_on:
            return
        asked["continue"] = going_on


async def create(connection: Requests, path: str, document: Object) -> Object:
    """The answer to a POST, such as a SelfSubjectAccessReview's."""
    body = msgspec.json.encode(document)
    return _decoded(await connection.request("POST", path, body=body, resource=path))


def _decoded(answer: Response) -> Object:
    return msgspec.json.decode(answer.body, type=Object)
