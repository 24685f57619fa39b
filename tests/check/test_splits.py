"""What is told of splits, definitions, routes and what the Go extension left."""

from __future__ import annotations

from typing import Any

import pytest

from reactor.check import definitions, leftovers, routes, splits
from reactor.check.kinds import Definition, Meta
from reactor.check.kinds import DefinitionSpec as Spec
from reactor.check.result import Trouble
from reactor.model.serviceprofile import ServiceProfile
from reactor.model.trafficsplit import VERSIONS, TrafficSplit
from reactor.translate.situation import Rules
from reactor.translate.survey import Judged, Services, survey
from tests.check.objects import GO, container, deployment, labelled, route
from tests.unit.translate.situations import NAME, NAMESPACE, profile, split, wanted

INSTALL = "`linkerd smi install | kubectl apply -f -`"
DEFAULTS = Rules()
KNOWN: Services = {NAMESPACE: {"web": "present", "v1": "present", "v2": "present"}}


def judged(
    *found: TrafficSplit,
    profiles: tuple[ServiceProfile, ...] = (),
    services: Services = KNOWN,
    rules: Rules = DEFAULTS,
) -> list[Judged]:
    return survey(found, profiles=profiles, services=services, rules=rules)


def some(trouble: Trouble | None) -> Trouble:
    assert trouble is not None
    return trouble


def test_splits_that_cannot_be_honoured_are_named_with_the_reason() -> None:
    bad = split("bad", ("v1", "lots"))
    lost = split("lost", ("v1", 1), service=7)
    assert splits.valid([split("one", ("v1", 1))]) is None
    trouble = some(splits.valid([bad, lost]))
    assert trouble.warning
    assert trouble.error.startswith("shop/bad: InvalidWeight: spec.backends[0].weight:")
    assert "shop/lost: InvalidSplit: spec.service" in trouble.error
    assert trouble.hint == "`kubectl -n shop edit trafficsplit bad`"


def test_a_split_in_the_shadow_of_an_older_one_is_told() -> None:
    older = split("older", ("v1", 1))
    younger = split("younger", ("v2", 1), created="2026-02-01T00:00:00Z")
    trouble = some(splits.effective(judged(older, younger)))
    assert trouble.warning
    assert trouble.error.startswith("shop/younger: ShadowedBy: spec.service: web is split by")


def test_a_split_whose_services_are_missing_is_told() -> None:
    found = judged(split("one", ("v1", 1)), services={NAMESPACE: {"web": "headless"}})
    error = some(splits.effective(found)).error
    assert "shop/one: ServiceNotFound: there is no Service v1" in error
    assert "shop/one: HeadlessService" in error


def test_weights_that_were_scaled_are_no_trouble() -> None:
    found = judged(split("one", ("v1", "1n"), ("v2", 1)))
    assert found[0].decision.desired.findings
    assert splits.effective(found) is None


def test_profiles_in_sync_are_fine() -> None:
    found = judged(split("one", ("v1", 1)), profiles=(profile(wanted(("v1", "1"))),))
    assert splits.in_sync(found) is None


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (judged(split("one", ("v1", 1))), "is not there yet"),
        (
            judged(split("one", ("v1", 2)), profiles=(profile(wanted(("v1", "1"))),)),
            "has other overrides than its split asks for",
        ),
        (judged(profiles=(profile(wanted(("v1", "1"))),)), "is left over: its split is gone"),
        (
            judged(
                profiles=(profile(wanted(("v1", "1"))),),
                rules=Rules(orphans="clear"),
            ),
            "has overrides of a split that is gone",
        ),
    ],
)
def test_a_profile_that_lags_behind_fails(found: list[Judged], expected: str) -> None:
    trouble = some(splits.in_sync(found))
    assert not trouble.warning
    assert trouble.error == f"serviceprofile/{NAME} {expected}"
    assert trouble.hint == "`linkerd smi diff --namespace shop`"


def test_a_profile_that_is_to_be_skipped_does_not_lag() -> None:
    left_alone = profile(wanted(("v1", "1")), annotations={"smi.linkerd.io/skip": "true"})
    assert splits.in_sync(judged(split("one", ("v2", 1)), profiles=(left_alone,))) is None


def test_splits_have_to_be_served_and_an_old_definition_is_a_warning() -> None:
    assert definitions.splits_served(VERSIONS, INSTALL) is None
    old = some(definitions.splits_served({"v1alpha1", "v1alpha2"}, INSTALL))
    assert old.warning
    assert "not in v1alpha3, v1alpha4" in old.error
    none = some(definitions.splits_served((), INSTALL))
    assert (none.warning, none.hint) == (False, INSTALL)


def test_linkerds_profiles_have_to_be_served() -> None:
    assert definitions.profiles_served({"serviceprofiles"}) is None
    trouble = some(definitions.profiles_served({"servers"}))
    assert trouble.hint == "`linkerd install --crds | kubectl apply -f -`"


WEB = {"kind": "Service", "group": "", "name": "web"}
GROUP = "gateway.networking.k8s.io"


def heeded(parent: dict[str, Any], live: ServiceProfile, namespace: str = NAMESPACE) -> str | None:
    found = {GROUP: [route(parent, namespace=namespace)]}
    trouble = routes.heeded(found, [live], "cluster.local")
    return trouble.error if trouble is not None else None


def test_a_route_of_a_service_whose_profile_has_overrides_is_ignored() -> None:
    assert heeded(WEB, profile(wanted(("v1", "1")))) == (
        f"httproute.{GROUP} shop/canary is ignored: serviceprofile/{NAME} has dstOverrides"
    )


def test_a_route_of_a_service_whose_profile_has_routes_is_ignored() -> None:
    live = profile(spec={"routes": [{"name": "GET /"}]})
    assert heeded({**WEB, "group": "core", "namespace": "shop"}, live, "other") == (
        f"httproute.{GROUP} other/canary is ignored: serviceprofile/{NAME} has routes"
    )


@pytest.mark.parametrize(
    ("parent", "live"),
    [
        (WEB, profile()),
        (WEB, profile(wanted(("v1", "0"), ("v2", "0")), spec={"routes": []})),
        ({**WEB, "name": "other"}, profile(wanted(("v1", "1")))),
        ({**WEB, "namespace": "other"}, profile(wanted(("v1", "1")))),
        ({"kind": "Gateway", "group": GROUP, "name": "web"}, profile(wanted(("v1", "1")))),
        ({"name": "web"}, profile(wanted(("v1", "1")))),
    ],
)
def test_other_routes_are_heeded(parent: dict[str, Any], live: ServiceProfile) -> None:
    assert heeded(parent, live) is None


def gone(*adaptors: Any, labels: tuple[str, ...] = (), preserve: bool = False) -> Trouble | None:
    return leftovers.gone(
        "linkerd-smi",
        labelled=[labelled(name) for name in labels],
        deployments=adaptors,
        definition=Definition(Meta("trafficsplits.split.smi-spec.io"), Spec(preserve)),
    )


def test_a_clean_cluster_has_no_leftovers() -> None:
    assert gone(deployment(), labels=("linkerd-smi",)) is None


def test_the_go_adaptor_in_another_namespace_is_to_be_deleted() -> None:
    trouble = some(gone(deployment(), deployment(container(image=GO), namespace="old")))
    assert trouble.warning
    assert trouble.error.startswith(f"the Go adaptor, {GO}, runs in namespace old")
    assert trouble.hint == "`kubectl -n old delete deployment smi-adaptor`"


def test_a_second_adaptor_of_ours_is_told_too() -> None:
    assert some(gone(deployment(namespace="b"))).error.startswith("a second adaptor is in")


def test_a_label_without_an_adaptor_is_to_be_taken_off() -> None:
    trouble = some(gone(labels=("linkerd-smi", "old")))
    assert trouble.hint == "`kubectl label namespace old linkerd.io/extension-`"


def test_the_old_definitions_field_that_blocks_argo_cd_is_told_with_its_patch() -> None:
    trouble = some(gone(preserve=True))
    assert "preserveUnknownFields" in trouble.error
    assert trouble.hint == (
        "`kubectl patch crd trafficsplits.split.smi-spec.io --type merge"
        """ -p '{"spec":{"preserveUnknownFields":false}}'`"""
    )
