"""One row of the log before it has a place in it."""

from __future__ import annotations

from typing import Literal

import msgspec

from reactor.model.meta import Document

Kind = Literal["observed", "translated", "synced", "gap", "purged", "started", "stopped"]


class Entry(msgspec.Struct, frozen=True):
    """A row to append. ``at`` is microseconds since 1970 UTC, ``detail`` a JSON object.

    ``documents`` are the objects that it refers to; each is stored once, by digest.
    """

    kind: Kind
    at: int
    detail: bytes = b"{}"
    namespace: str | None = None
    split: str | None = None
    service: str | None = None
    outcome: str | None = None
    actor: str | None = None
    reconcile: str | None = None
    resource_version: str | None = None
    documents: tuple[Document, ...] = ()
