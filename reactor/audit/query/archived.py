"""How much an archive holds: of one cluster, and of all that share it."""

from __future__ import annotations

import msgspec


class Month(msgspec.Struct, frozen=True):
    """A month (2026-11) of all clusters: rows, about, and bytes with documents and indexes."""

    name: str
    rows: int
    bytes: int


class Cluster(msgspec.Struct, frozen=True):
    """One that shares the archive: how long its rows are kept (seconds), how many runs it has, and
    the time of its newest row (microseconds UTC), None when it has none.
    """

    name: str
    retention: int
    runs: int
    newest: int | None


class Writer(msgspec.Struct, frozen=True):
    """A run that hasn't ended, as far as the archive knows, and the time of its newest row."""

    run: str
    host: str
    newest: int


class Loss(msgspec.Struct, frozen=True):
    """Rows that were gone before they were copied: so many before the row of ``run`` that stands
    at ``position`` of its log, noticed then (microseconds UTC).
    """

    run: str
    position: int
    rows: int
    noticed: int


class Archived(msgspec.Struct, frozen=True):
    """What the archive has of ``cluster``; ``bytes`` are of all clusters. The newest comes first
    in ``writers`` and ``losses``.
    """

    cluster: str
    rows: int
    bytes: int
    runs: int
    oldest: int | None
    newest: int | None
    months: tuple[Month, ...]
    writers: tuple[Writer, ...]
    losses: tuple[Loss, ...]
    clusters: tuple[Cluster, ...]


class Lag(msgspec.Struct, frozen=True):
    """How far this adaptor is with copying: rows that wait, since when (seconds), and what is in
    the way (None: nothing).
    """

    rows: int
    seconds: float
    trouble: str | None
