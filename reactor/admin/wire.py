"""What the audit API sends."""

from __future__ import annotations

import msgspec


class Entry(msgspec.Struct, frozen=True):
    """One row of the log.

    ``run`` and ``seq`` name it; ``at`` is RFC 3339 with microseconds, UTC; ``detail`` a JSON
    object whose form goes by ``kind``; ``documents`` are SHA-256 digests and ``hash`` the
    row's place in the chain, all in hex.
    """

    run: str
    seq: int
    at: str
    kind: str
    namespace: str | None
    split: str | None
    service: str | None
    outcome: str | None
    actor: str | None
    reconcile: str | None
    resource_version: str | None
    detail: msgspec.Raw
    documents: tuple[str, ...]
    hash: str


class Page(msgspec.Struct, frozen=True):
    """Entries, newest first; ``next`` is the cursor to the ones before, null at the end."""

    entries: list[Entry]
    next: str | None
