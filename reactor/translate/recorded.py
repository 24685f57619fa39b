"""A decision and its whole argument as the JSON of a log row, and back, exactly.

Objects are referred to by digest; what a document leaves out (managedFields) is kept as values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from reactor.model import serviceprofile, trafficsplit
from reactor.model.decode import parse_object
from reactor.model.meta import Document, Manager, Stored
from reactor.model.service import ServiceState
from reactor.model.serviceprofile import Override, ServiceProfile
from reactor.model.trafficsplit import TrafficSplit
from reactor.translate.decision import Decision, Desired, Plan, Unchanged, fingerprint
from reactor.translate.overrides import good
from reactor.translate.situation import Asked, Evidence, Repairs, Rules, Situation

Good = dict[str, tuple[Override, ...]]


class _Object(msgspec.Struct, frozen=True, omit_defaults=True):
    """One object: its document's hex digest, and who owns it."""

    digest: str
    name: str
    managers: tuple[Manager, ...] = ()


class _Detail(msgspec.Struct, frozen=True, omit_defaults=True):
    """``detail`` of a `translated` row.

    ``learned`` holds what valid splits ask for that are not the winner. What is as it mostly is
    is left out: a log is full of it. ``good_as_asked`` says that ``good`` is just that.
    """

    attempt: int
    fingerprint: str
    namespace: str
    service: str
    splits: tuple[_Object, ...]
    services: dict[str, ServiceState]
    rules: Rules
    desired: Desired
    plan: Plan
    profile: _Object | None = None
    good: Good = {}
    good_as_asked: bool = False
    asked: Asked | None = None
    evidence: Evidence = "none"
    unreadable: bool = False
    repairs: Repairs | None = None
    learned: Good = {}


class _Held(msgspec.Struct, frozen=True):
    """The part of a row that the next decision starts from."""

    desired: Desired
    plan: Plan
    asked: Asked | None = None
    learned: Good = {}


_NO_REPAIRS = Repairs()
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Detail)
_held = msgspec.json.Decoder(_Held)


def encode(
    situation: Situation, decision: Decision, attempt: int = 1, mark: str | None = None
) -> bytes:
    """Encode as compact JSON. ``mark`` is the decision's fingerprint, when known already."""
    profile, asked = situation.profile, situation.asked
    as_asked = asked is not None and situation.good == {asked.uid: asked.overrides}
    detail = _Detail(
        attempt=attempt,
        fingerprint=mark if mark is not None else fingerprint(situation, decision),
        namespace=situation.namespace,
        service=situation.service,
        splits=tuple([_object(split) for split in situation.splits]),
        services=situation.services,
        profile=None if profile is None else _object(profile),
        good={} if as_asked else situation.good,
        good_as_asked=as_asked,
        asked=asked,
        evidence=situation.evidence,
        unreadable=situation.unreadable,
        repairs=None if situation.repairs == _NO_REPAIRS else situation.repairs,
        rules=situation.rules,
        desired=decision.desired,
        plan=decision.plan,
        learned={
            uid: wanted
            for uid, wanted in good_after(situation, decision).items()
            if uid != decision.desired.uid
        },
    )
    return _encoder.encode(detail)


class Objects(Protocol):
    """The objects that a row refers to, decoded, by the SHA-256 of their document."""

    def split(self, digest: bytes, domain: str, managers: tuple[Manager, ...]) -> TrafficSplit:
        """Read a split in a cluster of this domain, owned by these."""
        ...

    def profile(self, digest: bytes, managers: tuple[Manager, ...]) -> ServiceProfile:
        """Read a profile, owned by these."""
        ...


class Decoded:
    """Objects decoded each time; ``documents`` gives a body by its digest."""

    def __init__(self, documents: Callable[[bytes], bytes]) -> None:
        self._documents = documents

    def split(self, digest: bytes, domain: str, managers: tuple[Manager, ...]) -> TrafficSplit:
        """Read a split in a cluster of this domain, owned by these."""
        body = self._documents(digest)
        stored = Stored(Document(digest, body), managers)
        return trafficsplit.decode(parse_object(body), domain=domain, stored=stored)

    def profile(self, digest: bytes, managers: tuple[Manager, ...]) -> ServiceProfile:
        """Read a profile, owned by these."""
        body = self._documents(digest)
        stored = Stored(Document(digest, body), managers)
        return serviceprofile.decode(parse_object(body), stored=stored)


def decode(detail: bytes, documents: Callable[[bytes], bytes]) -> tuple[Situation, Decision]:
    """Read a row back; ``documents`` gives a document's body by its SHA-256.

    Raises msgspec.DecodeError for a text that `encode` never wrote, and whatever ``documents``
    raises for a digest that it doesn't have.
    """
    return restore(detail, Decoded(documents))


def restore(detail: bytes | str, objects: Objects) -> tuple[Situation, Decision]:
    """As `decode`, with objects that someone may have decoded before."""
    row = _decoder.decode(detail)
    domain = row.rules.cluster_domain
    split, profile, binary = objects.split, row.profile, bytes.fromhex
    asked, good_before = row.asked, row.good
    if row.good_as_asked and asked is not None:
        good_before = {asked.uid: asked.overrides}
    situation = Situation(
        namespace=row.namespace,
        service=row.service,
        splits=tuple([split(binary(one.digest), domain, one.managers) for one in row.splits]),
        services=row.services,
        profile=None
        if profile is None
        else objects.profile(binary(profile.digest), profile.managers),
        good=good_before,
        asked=asked,
        evidence=row.evidence,
        unreadable=row.unreadable,
        repairs=row.repairs or _NO_REPAIRS,
        rules=row.rules,
    )
    return situation, Decision(row.desired, row.plan)


def asked_of(detail: bytes) -> Asked | None:
    """Read what the service's last valid decision wanted, as of this row."""
    held = _held.decode(detail)
    return _asked(held.desired, held.plan, held.asked)


def good_of(detail: bytes) -> Good:
    """Read the last good overrides by split uid, as of this row."""
    held = _held.decode(detail)
    desired = held.desired
    if desired.uid is None or desired.overrides is None:
        return held.learned
    return {desired.uid: desired.overrides, **held.learned}


def asked_after(situation: Situation, decision: Decision) -> Asked | None:
    """Return ``asked`` for the next decision.

    It outlives the splits until nothing of what they asked for is left in the cluster.
    """
    return _asked(decision.desired, decision.plan, situation.asked)


def good_after(situation: Situation, decision: Decision) -> Good:
    """Return ``good`` for the next decision, shadowed splits included."""
    desired = decision.desired
    kept = {}
    if desired.uid is not None and desired.overrides is not None:
        kept[desired.uid] = desired.overrides
    return kept if len(situation.splits) == len(kept) else {**kept, **good(situation)}


def _asked(desired: Desired, plan: Plan, before: Asked | None) -> Asked | None:
    if desired.overrides is not None and desired.uid is not None:
        return Asked(desired.uid, desired.winner or "", desired.overrides)
    return None if isinstance(plan, Unchanged) and not desired.leave else before


def _object(held: TrafficSplit | ServiceProfile) -> _Object:
    return _Object(held.document.digest.hex(), held.meta.name, held.meta.managers)
