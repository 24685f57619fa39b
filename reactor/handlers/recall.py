"""What the journal of earlier runs tells a new one: the state of the reactor at its last row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from reactor.events import Key
from reactor.handlers.memory import Memory
from reactor.handlers.record import ObservedDetail
from reactor.handlers.settle import OpenDecision
from reactor.model import serviceprofile, trafficsplit
from reactor.model.decode import parse_object
from reactor.model.serviceprofile import ServiceProfile
from reactor.model.trafficsplit import TrafficSplit
from reactor.translate import recorded
from reactor.translate.situation import Evidence


class Row(Protocol):
    """A row of the log, as far as it is read here; ``detail`` is a JSON object."""

    @property
    def namespace(self) -> str | None: ...

    @property
    def service(self) -> str | None: ...

    @property
    def reconcile(self) -> str | None: ...

    @property
    def detail(self) -> str: ...

    @property
    def digests(self) -> tuple[bytes, ...]: ...


class Recollection(Protocol):
    """The last rows of everything; see `reactor.audit.recall.Recollection`."""

    @property
    def observed(self) -> Sequence[Row]: ...

    @property
    def translated(self) -> Sequence[Row]: ...

    @property
    def open(self) -> Sequence[Row]: ...

    @property
    def documents(self) -> Mapping[bytes, bytes]: ...


class Known(msgspec.Struct):
    """The last known objects, to seed the stores with, and the decisions left open."""

    splits: list[TrafficSplit]
    profiles: list[ServiceProfile]
    left_open: list[OpenDecision]


class _Plan(msgspec.Struct):
    type: str


class _Mark(msgspec.Struct):
    attempt: int
    fingerprint: str
    splits: tuple[msgspec.Raw, ...]
    plan: _Plan
    evidence: Evidence = "none"

    @property
    def stands(self) -> bool:
        """Whether the decision is made again at the next start if nothing has changed."""
        return bool(self.splits) or self.plan.type in ("keep", "skip")


_observed = msgspec.json.Decoder(ObservedDetail).decode
_mark = msgspec.json.Decoder(_Mark).decode


def recall(found: Recollection, *, memory: Memory, domain: str) -> Known:
    """Fill the memory, and return what the stores held when the last row was written."""
    known = Known([], [], [])
    for row in found.observed:
        detail = _observed(row.detail)
        body = found.documents.get(row.digests[0]) if row.digests else None
        if detail.type == "deleted" or detail.gone or body is None:
            continue
        if detail.object == "trafficsplits":
            known.splits.append(_split(row, detail, body, domain))
        else:
            known.profiles.append(_profile(detail, body))
    for row in found.translated:
        text = row.detail.encode()
        asked = recorded.asked_of(text)
        good = recorded.good_of(text)
        mark = _mark(text)
        if asked is not None or good or mark.stands:
            memory.remember(_key(row), asked, good, mark.fingerprint)
        if mark.plan.type == "keep" and mark.evidence == "listed":
            # A restart is no second list: the wait for one begins again.
            memory.doubt_absence(_key(row))
    for row in found.open:
        text = row.detail.encode()
        _, decision = recorded.decode(text, row.digests, found.documents.__getitem__)
        known.left_open.append(
            OpenDecision(_key(row), row.reconcile or "", _mark(text).attempt, decision)
        )
    return known


def _key(row: Row) -> Key:
    return Key(row.namespace or "", row.service or "")


def _split(row: Row, detail: ObservedDetail, body: bytes, domain: str) -> TrafficSplit:
    split = trafficsplit.decode(parse_object(body), domain=domain)
    meta = msgspec.structs.replace(split.meta, managers=detail.managers)
    # A service that can't be read any more stays the one that was read last.
    return msgspec.structs.replace(split, meta=meta, service=split.service or row.service)


def _profile(detail: ObservedDetail, body: bytes) -> ServiceProfile:
    profile = serviceprofile.decode(parse_object(body))
    return msgspec.structs.replace(
        profile, meta=msgspec.structs.replace(profile.meta, managers=detail.managers)
    )
