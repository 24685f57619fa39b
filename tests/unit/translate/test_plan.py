"""What to write, given what is wanted and what is there."""

from __future__ import annotations

from typing import Any

import pytest

from reactor.model.serviceprofile import ServiceProfile
from reactor.translate import decide
from reactor.translate.decision import Create, Delete, Keep, Patch, Plan, Skip, Unchanged
from reactor.translate.situation import Asked, Evidence, Repairs, Rules, Situation
from tests.unit.translate.situations import NAME, profile, situation, split, wanted

PAIR = wanted(("web", "500"), ("failing", "500"))
OTHER = wanted(("web", "1"))
ASKED = Asked("uid-canary", "canary", PAIR)
SKIP = {"smi.linkerd.io/skip": ""}
KUBECTL = (("kubectl", "Update"),)


def canary() -> Any:
    return split("canary", ("web", 500), ("failing", 500))


def planned(here: Situation) -> Plan:
    return decide(here).plan


def orphan(live: ServiceProfile | None, **others: Any) -> Plan:
    """The plan for a service whose last split is gone, proved unless told otherwise."""
    evidence: Evidence = others.pop("evidence", "proved")
    return planned(situation(profile=live, evidence=evidence, **others))


def test_a_missing_profile_is_created() -> None:
    assert planned(situation(canary())) == Create(NAME, PAIR)


def test_a_deleted_profile_is_created_again_as_a_repair() -> None:
    assert planned(situation(canary(), asked=ASKED)) == Create(NAME, PAIR, repair=True)


@pytest.mark.parametrize("managers", [KUBECTL, ()])
@pytest.mark.parametrize("weight", ["500", 500, "0.5k", "500000m", "5e2"])
def test_the_same_value_is_no_write_whoever_wrote_it_and_however(
    managers: tuple[tuple[str, str], ...], weight: object
) -> None:
    live = [{"authority": one.authority, "weight": weight} for one in PAIR]
    assert planned(situation(canary(), profile=profile(live, managers=managers))) == Unchanged()


@pytest.mark.parametrize("live", [None, [], OTHER, PAIR[::-1], "junk", [{"authority": "x"}]])
def test_other_overrides_are_patched_on_the_version_that_was_seen(live: object) -> None:
    plan = planned(situation(canary(), profile=profile(live)))
    assert plan == Patch(NAME, "uid-profile", "9", PAIR)


def test_a_patch_of_what_was_asked_before_is_a_repair() -> None:
    plan = planned(situation(canary(), profile=profile(OTHER), asked=ASKED))
    assert plan == Patch(NAME, "uid-profile", "9", PAIR, repair=True)


def test_a_new_wish_is_no_repair_and_waits_for_nothing() -> None:
    asked = Asked("uid-canary", "canary", OTHER)
    repairs = Repairs(5, "argocd", 60.0)
    here = situation(canary(), profile=profile(OTHER), asked=asked, repairs=repairs)
    assert planned(here) == Patch(NAME, "uid-profile", "9", PAIR)


@pytest.mark.parametrize("live", [None, profile(OTHER)])
def test_a_repair_waits_while_contended_and_names_the_other(live: ServiceProfile | None) -> None:
    repairs = Repairs(5, "argocd", 60.0)
    plan = planned(situation(canary(), profile=live, asked=ASKED, repairs=repairs))
    assert isinstance(plan, Keep)
    assert plan.after == 60.0
    assert "argocd" in plan.reason
    assert plan.reason.startswith("contended")


@pytest.mark.parametrize("overrides", [None, OTHER, PAIR])
def test_a_profile_marked_to_be_skipped_is_left_alone(overrides: object) -> None:
    assert isinstance(
        planned(situation(canary(), profile=profile(overrides, annotations=SKIP))), Skip
    )


def test_an_orphan_marked_to_be_skipped_is_left_alone() -> None:
    assert isinstance(orphan(profile(PAIR, annotations=SKIP)), Skip)


def test_an_invalid_split_that_was_never_good_keeps_the_profile() -> None:
    bad = split("canary", ("a", "lots"))
    for live in (None, profile(PAIR)):
        assert isinstance(planned(situation(bad, profile=live)), Keep)


def test_an_invalid_split_keeps_its_last_good_overrides_in_place() -> None:
    bad = split("canary", ("a", "lots"))
    good = {"uid-canary": PAIR}
    assert planned(situation(bad, profile=profile(PAIR), good=good)) == Unchanged()
    plan = planned(situation(bad, profile=profile(OTHER), good=good, asked=ASKED))
    assert plan == Patch(NAME, "uid-profile", "9", PAIR, repair=True)


def test_a_proved_orphan_that_only_we_made_is_deleted() -> None:
    assert orphan(profile(PAIR)) == Delete(NAME, "uid-profile", "9")


@pytest.mark.parametrize(
    "others",
    [
        {"managers": (("smi-adaptor", "Update"), ("kubectl", "Update"))},
        {"spec": {"routes": [{"name": "x"}]}},
        {"spec": {"unknown": 1}},
        {"labels": {"team": "a"}},
        {"annotations": {"note": "a"}},
        {"ownerReferences": [{"kind": "Rollout"}]},
        {"finalizers": ["x/y"]},
    ],
)
def test_an_orphan_that_holds_more_is_cleared_not_deleted(others: dict[str, Any]) -> None:
    assert orphan(profile(PAIR, **others)) == Patch(NAME, "uid-profile", "9", None)


def test_a_profile_without_managed_fields_is_never_deleted() -> None:
    live = profile(PAIR, managers=())
    assert orphan(live, asked=ASKED) == Patch(NAME, "uid-profile", "9", None)


def test_overrides_written_by_others_are_ours_when_the_log_says_so() -> None:
    live = profile([{"authority": o.authority, "weight": "0.5k"} for o in PAIR], managers=KUBECTL)
    assert orphan(live, asked=ASKED) == Patch(NAME, "uid-profile", "9", None)


@pytest.mark.parametrize("asked", [None, ASKED])
@pytest.mark.parametrize("operation", ["Update", "Apply"])
def test_hand_written_overrides_are_never_ours(asked: Asked | None, operation: str) -> None:
    live = profile(OTHER, managers=(("kubectl", operation),))
    assert isinstance(orphan(live, asked=asked), Keep)


def test_an_apply_entry_of_our_name_is_not_ours() -> None:
    assert isinstance(orphan(profile(OTHER, managers=(("smi-adaptor", "Apply"),))), Keep)


def test_clearing_leaves_an_empty_profile_behind_when_asked_to() -> None:
    rules = Rules(orphans="clear")
    assert orphan(profile(PAIR), rules=rules) == Patch(NAME, "uid-profile", "9", None)
    assert orphan(profile(None), rules=rules, asked=ASKED) == Unchanged()


def test_keeping_touches_nothing() -> None:
    assert isinstance(orphan(profile(PAIR), rules=Rules(orphans="keep")), Keep)


def test_an_orphan_found_by_one_list_waits_for_a_second() -> None:
    plan = orphan(profile(PAIR), evidence="listed")
    assert isinstance(plan, Keep)
    assert plan.after == 60.0


def test_an_orphan_that_nothing_is_known_of_is_kept() -> None:
    plan = orphan(profile(PAIR), evidence="none")
    assert isinstance(plan, Keep)
    assert plan.after is None


def test_no_orphan_goes_while_the_namespace_holds_an_unreadable_split() -> None:
    assert isinstance(orphan(profile(PAIR), unreadable=True), Keep)


def test_a_profile_of_another_domain_is_never_ours() -> None:
    live = profile(PAIR)
    assert orphan(live, rules=Rules(cluster_domain="cluster.example")) == Unchanged()


@pytest.mark.parametrize("live", [None, profile(None), profile([]), profile(None, managers=())])
def test_nothing_wanted_and_nothing_there_is_unchanged(live: ServiceProfile | None) -> None:
    assert orphan(live) == Unchanged()


def test_an_emptied_profile_that_only_we_made_goes_with_its_split() -> None:
    assert orphan(profile(None), asked=ASKED) == Delete(NAME, "uid-profile", "9")
    assert orphan(profile(None, managers=KUBECTL), asked=ASKED) == Unchanged()


def test_a_split_that_lost_its_backends_is_proof_itself() -> None:
    here = situation(split("canary"), profile=profile(PAIR), asked=ASKED)
    assert planned(here) == Delete(NAME, "uid-profile", "9")


def test_overrides_of_a_gone_split_are_cleared_though_the_next_is_invalid() -> None:
    gone = Asked("uid-gone", "gone", PAIR)
    bad = split("next", ("a", "lots"))
    here = situation(bad, profile=profile(PAIR), asked=gone)
    assert planned(here) == Delete(NAME, "uid-profile", "9")
    assert planned(situation(bad, asked=gone)) == Unchanged()
