"""GET /entries/{run}/{seq}: one entry in full, what led to it, and what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from reactor.admin import entries, question
from reactor.admin.entries import Log
from reactor.admin.pages.page import Page
from reactor.admin.problem import Refused
from reactor.audit.query import Filters
from reactor.audit.query.cursor import Cursor
from reactor.audit.row import Row

_NEAR: Final = 10
"""Entries at most that are named on each side."""
_SHOWN: Final = 64 * 1024
"""Characters of a document that are shown; the rest is a link away."""


class Document(msgspec.Struct, frozen=True):
    """An object that the entry refers to; ``text`` None when retention took it."""

    digest: str
    name: str
    text: str | None
    cut: bool


def page(log: Log) -> Page:
    """The page."""

    async def show(places: Mapping[str, Any], query: bytes, now: int) -> Mapping[str, Any]:
        question.read(query, (), now=now)
        row = await log.entry(places["run"], places["seq"])
        if row is None:
            raise Refused(404, "The log has no such entry: it never had, or retention took it.")
        bodies = await log.documents(row.digests)
        return {
            "title": f"Entry {row.seq}: {row.kind}",
            "row": row,
            "neighbours": [
                seq
                for seq in (row.seq - 1, row.seq + 1)
                if await log.entry(row.run, seq) is not None
            ],
            "detail": await asyncio.to_thread(_pretty, row.detail),
            "documents": await asyncio.to_thread(_documents, row.digests, bodies),
            "together": () if row.reconcile is None else await _together(log, row),
            "before": await _near(log, row, above=False),
            "after": await _near(log, row, above=True),
        }

    return Page("/entries/{run}/{seq}", "entry.html", show, entries.PLACE)


async def _together(log: Log, row: Row) -> Sequence[Row]:
    """The same reconciliation."""
    page = await log.entries(Filters(reconcile=row.reconcile), limit=_NEAR, order="oldest")
    return page.entries


async def _near(log: Log, row: Row, *, above: bool) -> Sequence[Row]:
    """What the log has of the same service, or split, just before or after."""
    if row.namespace is None or (row.service is None and row.split is None):
        return ()
    same = Filters(namespace=row.namespace, split=row.split)
    if row.service is not None:
        same = Filters(namespace=row.namespace, service=row.service)
    page = await log.entries(
        same,
        limit=_NEAR,
        order="oldest" if above else "newest",
        cursor=str(Cursor(row.position, above=above)),
    )
    return page.entries if above else page.entries[::-1]


def _documents(digests: Sequence[bytes], bodies: Mapping[bytes, str]) -> list[Document]:
    return [_document(digest, bodies.get(digest)) for digest in dict.fromkeys(digests)]


def _document(digest: bytes, body: str | None) -> Document:
    if body is None:
        return Document(digest.hex(), "no longer there", None, False)
    found = msgspec.json.decode(body)
    name = "document"
    if isinstance(found, dict):
        metadata = found.get("metadata")
        named = metadata.get("name", "") if isinstance(metadata, dict) else ""
        name = f"{found.get('kind', 'document')} {named}".strip()
    text = _pretty(body)
    return Document(digest.hex(), name, text[:_SHOWN], len(text) > _SHOWN)


def _pretty(text: str) -> str:
    return msgspec.json.format(text, indent=2)
