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
    """Entries in the order asked for; ``next`` and ``previous`` are the cursors of the pages
    around, null where there is none. ``partial``: the search took long and ended early; go on
    with the cursor.
    """

    entries: list[Entry]
    next: str | None
    previous: str | None
    partial: bool


class Run(msgspec.Struct, frozen=True):
    """One start of the program. ``ended`` is null while it lives or when it crashed; ``settings``
    is a JSON object; ``first`` and ``last`` are the seq of its oldest and newest entry.
    """

    id: str
    started: str
    ended: str | None
    version: str
    host: str
    settings: msgspec.Raw
    cluster_domain: str
    first: int | None
    last: int | None


class Runs(msgspec.Struct, frozen=True):
    """All runs, the newest first."""

    runs: list[Run]
