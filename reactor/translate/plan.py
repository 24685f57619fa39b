"""What to write, given what is wanted and what is there."""

from __future__ import annotations

from reactor.model.names import profile_name
from reactor.model.serviceprofile import SKIP_ANNOTATION, Override, ServiceProfile, same
from reactor.translate.decision import Create, Delete, Desired, Keep, Patch, Plan, Skip, Unchanged
from reactor.translate.situation import Situation

_SECOND_LOOK = 60.0
"""Seconds after which a second list has to agree that the splits are gone."""


def plan(situation: Situation, desired: Desired) -> Plan:
    """Decide the one request that leads from the live profile to what is wanted, if any."""
    if desired.overrides is None:
        return _without(situation, desired)
    return _towards(situation, desired.overrides)


def _towards(situation: Situation, wanted: tuple[Override, ...]) -> Plan:
    live = situation.profile
    if live is not None and live.skip:
        return _skipped(live)
    if live is not None and live.readable and same(live.overrides or (), wanted):
        return Unchanged()
    asked = situation.asked
    repair = asked is not None and same(asked.overrides, wanted)
    repairs = situation.repairs
    if repair and repairs.wait > 0:
        return Keep(
            f"contended: {repairs.manager or 'unknown'} changed the overrides {repairs.count}"
            " times in a row",
            after=repairs.wait,
        )
    if live is None:
        return Create(_name(situation), wanted, repair)
    return Patch(live.meta.name, live.meta.uid, live.meta.resource_version, wanted, repair)


def _without(situation: Situation, desired: Desired) -> Plan:
    live = situation.profile
    if desired.leave:
        return Keep("the split is invalid and has never been valid: the profile is left alone")
    if live is None or live.meta.name != _name(situation):
        return Unchanged()
    rules = situation.rules
    disposable = rules.orphans == "delete" and live.bare and live.only_ours
    holds = bool(live.overrides) or not live.readable
    asked = situation.asked
    if not holds and not (disposable and asked is not None):
        return Unchanged()
    if not (live.ours or not holds or (asked is not None and _equals(live, asked.overrides))):
        return Keep("dstOverrides were not written by this adaptor")
    if live.skip:
        return _skipped(live)
    if rules.orphans == "keep":
        return Keep("orphans are kept by setting")
    if situation.unreadable:
        return Keep(
            f"namespace {situation.namespace} holds a split whose service cannot be read: it"
            " may be this one"
        )
    if situation.evidence == "listed":
        return Keep("a second list has to agree that the split is gone", after=_SECOND_LOOK)
    # Splits that are there and ask for nothing are proof enough themselves.
    if situation.evidence == "none" and not situation.splits:
        return Keep("nothing is known of a split of this service")
    if disposable:
        return Delete(live.meta.name, live.meta.uid, live.meta.resource_version)
    return Patch(live.meta.name, live.meta.uid, live.meta.resource_version, None)


def _equals(live: ServiceProfile, asked: tuple[Override, ...]) -> bool:
    return live.readable and same(live.overrides or (), asked)


def _name(situation: Situation) -> str:
    rules = situation.rules
    return profile_name(situation.service, situation.namespace, rules.cluster_domain)


def _skipped(live: ServiceProfile) -> Skip:
    return Skip(f"{live.meta.name} is annotated {SKIP_ANNOTATION}")
