"""What a decision can be: desired overrides with findings, and one plan."""

from __future__ import annotations

from hashlib import sha256

import msgspec

from reactor.model.serviceprofile import Override
from reactor.translate.situation import Situation


class Finding(msgspec.Struct, frozen=True, gc=False):
    """Something the author of a split should know.

    ``reason`` is one of semantics' words (`InvalidWeight`, `ShadowedBy`, ...), ``split`` the
    name of the split it is about, ``message`` a sentence. All findings go out as Warning Events.
    """

    reason: str
    split: str
    message: str


class Desired(msgspec.Struct, frozen=True):
    """What the profile's dstOverrides should be.

    ``overrides`` is None when no split asks for any. ``winner`` is the split that decides,
    with its ``uid``, None when there is none. ``valid`` is False when the winner is invalid:
    then ``overrides`` are its last good ones, or None with ``leave`` set when it has none and
    the profile is to be left alone.
    """

    overrides: tuple[Override, ...] | None = None
    winner: str | None = None
    uid: str | None = None
    valid: bool = True
    leave: bool = False
    findings: tuple[Finding, ...] = ()


class Create(msgspec.Struct, frozen=True, tag="create"):
    """Write a new profile with these overrides. ``repair``: someone deleted the one before."""

    name: str
    overrides: tuple[Override, ...]
    repair: bool = False


class Patch(msgspec.Struct, frozen=True, tag="patch"):
    """Set dstOverrides (None: remove them) by a merge patch with this precondition.

    ``repair`` says that these overrides were asked for before, so someone else changed them.
    """

    name: str
    uid: str
    resource_version: str
    overrides: tuple[Override, ...] | None
    repair: bool = False


class Delete(msgspec.Struct, frozen=True, tag="delete"):
    """Delete the profile with uid and resourceVersion preconditions."""

    name: str
    uid: str
    resource_version: str


class Unchanged(msgspec.Struct, frozen=True, tag="unchanged"):
    """Nothing to write: what is wanted is there."""


class Skip(msgspec.Struct, frozen=True, tag="skip"):
    """Left alone on request: the skip annotation."""

    reason: str


class Keep(msgspec.Struct, frozen=True, tag="keep"):
    """Left as it is for now, and why: invalid split, orphan not ours or not proved, contended.

    ``after`` is when to look again, in seconds; None: when something changes.
    """

    reason: str
    after: float | None = None


Plan = Create | Patch | Delete | Unchanged | Skip | Keep


class Decision(msgspec.Struct, frozen=True):
    """A desired state and the plan that leads there from the live profile."""

    desired: Desired
    plan: Plan


def fingerprint(situation: Situation, decision: Decision) -> str:
    """32 hex digits that stay the same while a decision says nothing new, restarts included.

    It covers the splits, what is desired with its findings, and the kind of the plan.
    """
    splits = b"".join(sorted([split.document.digest for split in situation.splits]))
    tag = type(decision.plan).__name__
    return sha256(splits + msgspec.json.encode((decision.desired, tag))).hexdigest()[:32]
