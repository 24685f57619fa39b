"""A decision and its whole argument as the JSON of a log row, and back, exactly.

A log is full of such rows, so each thing is told once. The objects are the row's documents, the
splits in their order and then the profile; what a document leaves out (managedFields) is kept as
values. What is as it mostly is, or as another part of the row has it, is left out. Rows of earlier
releases, which leave less out, are read too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from reactor.model import serviceprofile, trafficsplit
from reactor.model.decode import parse_object
from reactor.model.meta import Document, Manager, Stored
from reactor.model.service import ServiceState
from reactor.model.serviceprofile import Override, ServiceProfile
from reactor.model.trafficsplit import TrafficSplit
from reactor.translate.decision import (
    Create,
    Decision,
    Delete,
    Desired,
    Keep,
    Patch,
    Plan,
    Skip,
    Unchanged,
    fingerprint,
)
from reactor.translate.overrides import good
from reactor.translate.situation import Asked, Evidence, Repairs, Rules, Situation

Good = dict[str, tuple[Override, ...]]


class _Object(msgspec.Struct, frozen=True, omit_defaults=True):
    """One object and who owns it; its document's hex ``digest`` in older rows alone."""

    name: str
    managers: tuple[Manager, ...] = ()
    digest: str = ""


class _Asked(msgspec.Struct, frozen=True):
    """As `Asked`; of the split that is the winner now, too, unless it says otherwise."""

    overrides: tuple[Override, ...]
    uid: str | msgspec.UnsetType = msgspec.UNSET
    split: str | msgspec.UnsetType = msgspec.UNSET


class _Desired(Desired, frozen=True, omit_defaults=True):
    """As `Desired`, written without what is as it mostly is."""


class _Create(msgspec.Struct, frozen=True, omit_defaults=True, tag="create"):
    """As `Create`; with the overrides that are desired unless it says otherwise."""

    name: str
    overrides: tuple[Override, ...] | msgspec.UnsetType = msgspec.UNSET
    repair: bool = False


class _Patch(msgspec.Struct, frozen=True, omit_defaults=True, tag="patch"):
    """As `Patch`; of the profile that is there, with the overrides that are desired, unless it
    says otherwise.
    """

    uid: str
    resource_version: str
    name: str | msgspec.UnsetType = msgspec.UNSET
    overrides: tuple[Override, ...] | msgspec.UnsetType | None = msgspec.UNSET
    repair: bool = False


_Plan = _Create | _Patch | Delete | Unchanged | Skip | Keep


class _Detail(msgspec.Struct, frozen=True, omit_defaults=True):
    """``detail`` of a `translated` row.

    ``learned`` holds what valid splits ask for that are not the winner. ``good_as_asked`` says
    that ``good`` is just that. ``rules`` are left out where they are the usual ones.
    """

    attempt: int
    fingerprint: str
    namespace: str
    service: str
    splits: tuple[_Object, ...]
    services: dict[str, ServiceState]
    desired: Desired
    plan: _Plan
    rules: Rules | None = None
    profile: _Object | None = None
    good: Good = {}
    good_as_asked: bool = False
    asked: _Asked | None = None
    evidence: Evidence = "none"
    unreadable: bool = False
    repairs: Repairs | None = None
    learned: Good = {}


class _ExactRules(Rules, frozen=True, forbid_unknown_fields=True):
    """Those that we know, and no others."""


class _ExactRepairs(Repairs, frozen=True, forbid_unknown_fields=True):
    """As `_ExactRules`."""


class _ExactAsked(_Asked, frozen=True, forbid_unknown_fields=True):
    """As `_ExactRules`."""


class _ExactObject(_Object, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """As `_ExactRules`."""


class _Exact(_Detail, frozen=True, forbid_unknown_fields=True):
    """A row that tells of nothing that we don't know: a later release may depend on more."""

    splits: tuple[_ExactObject, ...]
    rules: _ExactRules | None = None
    repairs: _ExactRepairs | None = None
    asked: _ExactAsked | None = None
    profile: _ExactObject | None = None


class _Held(msgspec.Struct, frozen=True):
    """The part of a row that the next decision starts from."""

    desired: Desired
    plan: _Plan
    asked: _Asked | None = None
    learned: Good = {}


_NO_REPAIRS = Repairs()
_USUAL = Rules(cluster_domain="cluster.local", orphans="delete")
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Detail)
_exact = msgspec.json.Decoder(_Exact)
_held = msgspec.json.Decoder(_Held)


def encode(
    situation: Situation, decision: Decision, attempt: int = 1, mark: str | None = None
) -> bytes:
    """Encode as compact JSON. ``mark`` is the decision's fingerprint, when known already."""
    profile, asked, desired = situation.profile, situation.asked, decision.desired
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
        asked=None if asked is None else _shorter(asked, desired),
        evidence=situation.evidence,
        unreadable=situation.unreadable,
        repairs=None if situation.repairs == _NO_REPAIRS else situation.repairs,
        rules=None if situation.rules == _USUAL else situation.rules,
        desired=_Desired(*msgspec.structs.astuple(desired)),
        plan=_short(decision.plan, desired, profile),
        learned={
            uid: wanted
            for uid, wanted in good_after(situation, decision).items()
            if uid != desired.uid
        },
    )
    return _encoder.encode(detail)


def documents_of(situation: Situation) -> tuple[Document, ...]:
    """The documents that the row of a decision refers to, in their order."""
    found = [split.document for split in situation.splits]
    if situation.profile is not None:
        found.append(situation.profile.document)
    return tuple(found)


def _shorter(asked: Asked, desired: Desired) -> _Asked:
    if (asked.uid, asked.split) == (desired.uid, desired.winner):
        return _Asked(asked.overrides)
    return _Asked(asked.overrides, asked.uid, asked.split)


def _longer(asked: _Asked | None, desired: Desired) -> Asked | None:
    if asked is None:
        return None
    uid, split = asked.uid, asked.split
    return Asked(
        (desired.uid or "") if uid is msgspec.UNSET else uid,
        (desired.winner or "") if split is msgspec.UNSET else split,
        asked.overrides,
    )


def _short(plan: Plan, desired: Desired, profile: ServiceProfile | None) -> _Plan:
    if not isinstance(plan, Create | Patch):
        return plan
    overrides = msgspec.UNSET if plan.overrides == desired.overrides else plan.overrides
    if isinstance(plan, Patch):
        told = profile is not None and plan.name == profile.meta.name
        name = msgspec.UNSET if told else plan.name
        return _Patch(plan.uid, plan.resource_version, name, overrides, plan.repair)
    assert overrides is not None
    return _Create(plan.name, overrides, plan.repair)


def _long(plan: _Plan, desired: Desired, profile: _Object | None) -> Plan:
    if not isinstance(plan, _Create | _Patch):
        return plan
    overrides = desired.overrides if plan.overrides is msgspec.UNSET else plan.overrides
    if isinstance(plan, _Patch):
        name = plan.name
        if name is msgspec.UNSET:
            name = "" if profile is None else profile.name
        return Patch(name, plan.uid, plan.resource_version, overrides, plan.repair)
    return Create(plan.name, overrides or (), plan.repair)


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


def decode(
    detail: bytes, digests: Sequence[bytes], documents: Callable[[bytes], bytes]
) -> tuple[Situation, Decision]:
    """Read a row back, given the documents that it refers to; ``documents`` gives a document's
    body by its SHA-256.

    Raises msgspec.DecodeError for a text that `encode` never wrote, ValueError when the row
    refers to fewer documents than it tells of, and whatever ``documents`` raises for a digest
    that it doesn't have.
    """
    return restore(detail, digests, Decoded(documents))


def restore(
    detail: bytes | str, digests: Sequence[bytes], objects: Objects, *, exact: bool = False
) -> tuple[Situation, Decision]:
    """As `decode`, with objects that someone may have decoded before. ``exact`` takes no row that
    depended on more than is known here.
    """
    row = (_exact if exact else _decoder).decode(detail)
    rules = row.rules or _USUAL
    domain = rules.cluster_domain
    split, profile = objects.split, row.profile
    told = [*row.splits] if profile is None else [*row.splits, profile]
    if told and told[0].digest:
        digests = [bytes.fromhex(one.digest) for one in told]
    elif len(digests) < len(told):
        raise ValueError(
            f"it tells of more objects ({len(told)}) than it refers to documents ({len(digests)})"
        )
    asked, good_before = _longer(row.asked, row.desired), row.good
    if row.good_as_asked and asked is not None:
        good_before = {asked.uid: asked.overrides}
    situation = Situation(
        namespace=row.namespace,
        service=row.service,
        splits=tuple(
            [
                split(digest, domain, one.managers)
                for one, digest in zip(row.splits, digests, strict=False)
            ]
        ),
        services=row.services,
        profile=None
        if profile is None
        else objects.profile(digests[len(row.splits)], profile.managers),
        good=good_before,
        asked=asked,
        evidence=row.evidence,
        unreadable=row.unreadable,
        repairs=row.repairs or _NO_REPAIRS,
        rules=rules,
    )
    plan = _long(row.plan, row.desired, profile)
    return situation, Decision(row.desired, plan)


def asked_of(detail: bytes) -> Asked | None:
    """Read what the service's last valid decision wanted, as of this row."""
    held = _held.decode(detail)
    before = _longer(held.asked, held.desired)
    return _asked(held.desired, isinstance(held.plan, Unchanged), before)


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
    return _asked(decision.desired, isinstance(decision.plan, Unchanged), situation.asked)


def good_after(situation: Situation, decision: Decision) -> Good:
    """Return ``good`` for the next decision, shadowed splits included."""
    desired = decision.desired
    kept = {}
    if desired.uid is not None and desired.overrides is not None:
        kept[desired.uid] = desired.overrides
    return kept if len(situation.splits) == len(kept) else {**kept, **good(situation)}


def _asked(desired: Desired, unchanged: bool, before: Asked | None) -> Asked | None:
    if desired.overrides is not None and desired.uid is not None:
        return Asked(desired.uid, desired.winner or "", desired.overrides)
    return None if unchanged and not desired.leave else before


def _object(held: TrafficSplit | ServiceProfile) -> _Object:
    return _Object(held.meta.name, held.meta.managers)
