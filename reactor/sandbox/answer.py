"""An answer: status, body, headers; and how lists and errors become one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from reactor.sandbox.documents import Document, encode
from reactor.sandbox.listing import Page
from reactor.sandbox.registry import Resource, Version
from reactor.sandbox.status import StatusError


class Answer(msgspec.Struct, frozen=True):
    """What goes over the wire."""

    status: int
    body: bytes
    headers: dict[str, str] = {}
    content_type: str = "application/json"


def of_document(document: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(status, encode(document), headers)


def of_error(error: StatusError) -> Answer:
    headers = dict(error.headers)
    if not error.reason and error.message == "404 page not found":
        headers["X-Content-Type-Options"] = "nosniff"
        return Answer(404, b"404 page not found\n", headers, "text/plain; charset=utf-8")
    seconds = (error.details or {}).get("retryAfterSeconds")
    if seconds or error.code == 429:
        headers.setdefault("Retry-After", str(seconds or 1))
    return Answer(error.code, encode(error.document), headers)


def list_metadata(page: Page, *, custom: bool = False) -> Document:
    metadata: Document = {"resourceVersion": str(page.version)}
    if custom:
        # An untyped list has the field even when it is empty.
        metadata["continue"] = ""
    if page.token:
        metadata["continue"] = page.token
    if page.remaining is not None:
        metadata["remainingItemCount"] = page.remaining
    return metadata


def of_page(resource: Resource, version: Version, page: Page) -> Answer:
    """A list, joined from what is encoded already. Items of built-in kinds name no kind."""
    api_version = resource.api_version(version.name)
    head = b'{"apiVersion":"%s","kind":"%s","metadata":%s,"items":[' % (
        api_version.encode(),
        resource.list_kind.encode(),
        encode(list_metadata(page, custom=resource.custom)),
    )
    if resource.custom:
        named = b'{"apiVersion":"%s","kind":"%s",' % (api_version.encode(), resource.kind.encode())
    else:
        named = b"{"
    items = b",".join([named + stored.body for stored in page.items])
    return Answer(200, b"".join((head, items, b"]}")))


def warnings(told: Sequence[str]) -> dict[str, str]:
    """The Warning header; one line each would need a multi-dict, so they are joined."""
    if not told:
        return {}
    quoted = (text.replace("\\", "\\\\").replace('"', '\\"') for text in told)
    return {"Warning": ", ".join(f'299 - "{text}"' for text in quoted)}
