"""What the audit API sends."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from reactor.audit.query.history import Weight
from reactor.audit.query.standing import Override
from reactor.events import Outcome
from reactor.handlers.overview import Leaf
from reactor.translate.state import State


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


class Place(msgspec.Struct, frozen=True):
    """Which entry says so, and when it was written."""

    run: str
    seq: int
    at: str


class Decided(msgspec.Struct, frozen=True):
    """What was decided: the split that won, whether it was valid, and every finding."""

    entry: Place
    winner: str | None
    valid: bool
    findings: list[Mapping[str, str]]


class Ended(msgspec.Struct, frozen=True):
    """How it ended, and how many seconds each stage took. A write that was tried again ended as its
    last try did; ``retried`` is from the first decision until that.
    """

    entry: Place
    outcome: str
    durations: dict[str, float]
    message: str


class Change(msgspec.Struct, frozen=True):
    """One change of a split: weights as written, null where there was no split, none that can be
    read, or where retention took what was before; ``decided`` null when a later change came
    first, ``ended`` null while it isn't known.
    """

    entry: Place
    type: str
    actor: str | None
    service: str | None
    before: list[Weight] | None
    after: list[Weight] | None
    decided: Decided | None
    ended: Ended | None


class History(msgspec.Struct, frozen=True):
    """Changes, newest first; ``next`` is the cursor to earlier ones."""

    changes: list[Change]
    next: str | None


class Standing(msgspec.Struct, frozen=True):
    """Overrides of a profile: null when there was no profile. ``entry`` made them so, ``actor`` is
    its author. Where ``entry`` is null nothing is known: the log has nothing from before. ``gap``
    tells of rows that were lost since, so that it may have been changed all the same.
    """

    overrides: list[Override] | None
    entry: Place | None
    actor: str | None
    outcome: str | None
    gap: Place | None


class Difference(msgspec.Struct, frozen=True):
    """A profile at two moments, which differ too where only one of them is known."""

    differs: bool
    before: Standing
    after: Standing


class Ending(msgspec.Struct, frozen=True):
    """How a reconciliation ended. ``seconds`` from the change until it was in effect, null when
    nothing was written.
    """

    outcome: Outcome
    reconcile: str
    at: str
    seconds: float | None
    message: str


class Split(msgspec.Struct, frozen=True):
    """A split now. ``reason`` says why it is not in sync; ``since`` when its service came to be in
    sync with ``winner``, the split that decides, or ceased to be, as far as this adaptor's log
    tells.
    """

    namespace: str
    name: str
    service: str | None
    state: State
    reason: str
    since: str | None
    winner: str | None
    leaves: list[Leaf]
    findings: list[str]
    last: Ending | None


class Splits(msgspec.Struct, frozen=True):
    """Splits by namespace and name; ``next`` is the cursor to the ones behind, null at the end."""

    splits: list[Split]
    next: str | None


class Verdict(msgspec.Struct, frozen=True):
    """``problem`` names the first thing that is wrong. ``rows`` were proved; ``anchor`` is the
    newest of them, to be kept elsewhere: without one a cut-off tail can't be told.

    An archive holds several logs: ``anchors`` are the newest row of each, ``remarks`` say what is
    gone for a reason that is known, and can't be proved.
    """

    proved: bool
    rows: int
    problem: str | None
    anchor: str | None
    anchors: list[str]
    remarks: list[str]


class Gap(msgspec.Struct, frozen=True):
    """Rows that could not be kept: how many, from when to when, and why."""

    run: str
    seq: int
    rows: int
    first: str
    last: str
    reason: str


class Month(msgspec.Struct, frozen=True):
    """A month of the archive (2026-11), of all clusters: rows, about, and bytes."""

    name: str
    rows: int
    bytes: int


class Cluster(msgspec.Struct, frozen=True):
    """One that shares the archive. ``retention`` in seconds; ``newest`` null without rows."""

    name: str
    retention: int
    runs: int
    newest: str | None


class Writer(msgspec.Struct, frozen=True):
    """A run that hasn't ended, as far as the archive knows, and when its newest row there is of."""

    run: str
    host: str
    newest: str


class Loss(msgspec.Struct, frozen=True):
    """Rows that were gone before they were copied: so many before the row of ``run`` that stands
    at ``position`` of its log.
    """

    run: str
    position: int
    rows: int
    noticed: str


class Archive(msgspec.Struct, frozen=True):
    """What the archive holds of ``cluster``; ``months``, ``bytes`` and ``clusters`` are of all.
    The newest comes first in ``writers`` and ``losses``.
    """

    cluster: str
    rows: int
    bytes: int
    runs: int
    oldest: str | None
    newest: str | None
    months: list[Month]
    writers: list[Writer]
    losses: list[Loss]
    clusters: list[Cluster]


class Lag(msgspec.Struct, frozen=True):
    """How many rows of this adaptor wait to be copied, since when, and what is in the way."""

    rows: int
    seconds: float
    trouble: str | None


class Stats(msgspec.Struct, frozen=True):
    """How much the log holds. ``unindexed`` rows are so new that the search index lacks them;
    ``gaps`` are the newest ones, newest first. ``archive`` is null where there is none or while it
    can't be asked, ``lag`` where there is none.
    """

    rows: int
    bytes: int
    index_bytes: int
    unindexed: int
    runs: int
    oldest: str | None
    newest: str | None
    gaps: list[Gap]
    archive: Archive | None
    lag: Lag | None
