"""Many services, judged from one look."""

from __future__ import annotations

from reactor.translate.decision import Create, Delete, Keep, Unchanged
from reactor.translate.situation import Rules
from reactor.translate.survey import Judged, Services, survey
from tests.unit.translate.situations import NAME, NAMESPACE, profile, split, wanted

RULES = Rules()


def reasons(judged: Judged) -> list[tuple[str, str]]:
    return [(finding.reason, finding.split) for finding in judged.decision.desired.findings]


def test_each_service_is_judged_once_in_order_with_all_of_its_splits() -> None:
    web, api = split("one", ("v1", 1)), split("two", ("v1", 1), service="api")
    younger = split("three", ("v2", 1), created="2026-02-01T00:00:00Z")
    judged = survey([younger, web, api], services={}, rules=RULES)
    assert [one.situation.service for one in judged] == ["api", "web"]
    assert reasons(judged[1]) == [("ShadowedBy", "three")]
    assert judged[1].decision.plan == Create(NAME, wanted(("v1", "1")))


def test_services_are_judged_only_in_namespaces_that_are_known() -> None:
    web = split("one", ("v1", 1), ("v2", 1))
    (unknown,) = survey([web], services={"other": {}}, rules=RULES)
    assert reasons(unknown) == []
    known_services: Services = {NAMESPACE: {"web": "present", "v1": "headless"}}
    (known,) = survey([web], services=known_services, rules=RULES)
    assert reasons(known) == [("ServiceNotFound", "one"), ("HeadlessService", "one")]


def test_a_profile_in_sync_needs_nothing() -> None:
    live = profile(wanted(("v1", "1")))
    (judged,) = survey([split("one", ("v1", 1))], profiles=[live], services={}, rules=RULES)
    assert judged.decision.plan == Unchanged()


def test_a_profile_of_ours_without_a_split_is_an_orphan() -> None:
    (judged,) = survey([], profiles=[profile(wanted(("v1", "1")))], services={}, rules=RULES)
    assert isinstance(judged.decision.plan, Delete)


def test_a_profile_of_others_without_a_split_is_nobodys_business() -> None:
    other = profile(wanted(("v1", "1")), managers=(("kubectl", "Update"),))
    assert survey([], profiles=[other], services={}, rules=RULES) == []


def test_an_orphan_beside_a_split_that_names_no_service_is_kept() -> None:
    lost = split("lost", ("v1", 1), service=7)
    live = profile(wanted(("v1", "1")))
    (judged,) = survey([lost], profiles=[live], services={}, rules=RULES)
    assert isinstance(judged.decision.plan, Keep)
