"""States of splits, and what is applied of them."""

from __future__ import annotations

from typing import Any

from reactor.model import serviceprofile, trafficsplit
from reactor.model.serviceprofile import SKIP_ANNOTATION, ServiceProfile
from reactor.model.trafficsplit import TrafficSplit
from reactor.stat.figures import Figures
from reactor.stat.query import Asked
from reactor.stat.rows import Row, asked, rows
from reactor.translate.situation import Rules
from reactor.translate.survey import survey

DOMAIN = "cluster.local"


def split(name: str, *, created: str = "2026-01-01T00:00:00Z", **spec: Any) -> TrafficSplit:
    metadata = {"namespace": "ns", "name": name, "uid": name, "creationTimestamp": created}
    body = {"apiVersion": "split.smi-spec.io/v1alpha2", "metadata": metadata, "spec": spec}
    return trafficsplit.decode(body, domain=DOMAIN)


def backends(**weights: object) -> list[dict[str, object]]:
    return [{"service": name, "weight": weight} for name, weight in weights.items()]


def profile(*, annotations: dict[str, str] | None = None, **weights: str) -> ServiceProfile:
    overrides = [
        {"authority": f"{name}.ns.svc.{DOMAIN}", "weight": weight}
        for name, weight in weights.items()
    ]
    metadata = {"namespace": "ns", "name": f"web.ns.svc.{DOMAIN}", "uid": "p"}
    return serviceprofile.decode(
        {
            "metadata": {**metadata, "annotations": annotations or {}},
            "spec": {"dstOverrides": overrides},
        }
    )


def shown(*splits: TrafficSplit, live: ServiceProfile | None = None) -> list[Row]:
    profiles = [] if live is None else [live]
    judged = survey(splits, profiles=profiles, services={}, rules=Rules(DOMAIN))
    return rows(splits, judged, {("ns", "a"): {("ns", "v1"): Figures(1.0, 1.0, {})}})


def states(found: list[Row]) -> list[tuple[str, str | None, str | None, str | None, str]]:
    return [(row.name, row.leaf, row.weight, row.applied, row.state) for row in found]


def test_a_split_whose_profile_says_the_same_is_in_sync() -> None:
    found = shown(split("a", service="web", backends=backends(v1=500, v2="500m")), live=PROFILE)
    assert states(found) == [
        ("a", "v1", "500", "500", "in-sync"),
        ("a", "v2", "500m", "500m", "in-sync"),
    ]
    assert {row.reason for row in found} == {""}
    assert [row.figures is None for row in found] == [False, True]


PROFILE = profile(v1="500", v2="500m")


def test_a_profile_that_lags_behind_is_out_of_sync() -> None:
    found = shown(split("a", service="web", backends=backends(v1=1, v3=1)), live=PROFILE)
    assert states(found) == [
        ("a", "v1", "1", "500", "out-of-sync"),
        ("a", "v3", "1", None, "out-of-sync"),
    ]
    assert found[0].reason == (
        "serviceprofile/web.ns.svc.cluster.local has other overrides than the split's"
    )


def test_a_profile_that_is_not_there_is_out_of_sync() -> None:
    (row,) = shown(split("a", service="web", backends=backends(v1=1)))
    assert (row.state, row.applied) == ("out-of-sync", None)
    assert row.reason == "serviceprofile/web.ns.svc.cluster.local is not there yet"


def test_a_profile_that_is_to_be_left_alone_is_skipped() -> None:
    live = profile(annotations={SKIP_ANNOTATION: ""}, v1="7")
    (row,) = shown(split("a", service="web", backends=backends(v1=1)), live=live)
    assert (row.state, row.applied) == ("skipped", "7")
    assert SKIP_ANNOTATION in row.reason


def test_of_two_splits_of_a_service_the_younger_is_shadowed() -> None:
    younger = split("b", created="2026-02-01T00:00:00Z", service="web", backends=backends(v2=1))
    older = split("a", service="web", backends=backends(v1="500", v2="500m"))
    found = shown(younger, older, live=PROFILE)
    assert [row.state for row in found] == ["in-sync", "in-sync", "shadowed"]
    assert "older a" in found[-1].reason


def test_a_split_without_backends_is_one_empty_row() -> None:
    (row,) = shown(split("a", service="web", backends=[]))
    assert states([row]) == [("a", None, None, None, "empty")]
    assert row.reason


def test_splits_that_cannot_be_honoured_are_one_row_that_says_why() -> None:
    bad = split("b", service="web", backends=backends(v1="lots"))
    unread = split("c", backends=backends(v1=1))
    found = shown(bad, unread)
    assert states(found) == [
        ("b", None, None, None, "invalid"),
        ("c", None, None, None, "invalid"),
    ]
    assert [row.apex for row in found] == ["web", None]
    assert [row.reason.partition(":")[0] for row in found] == ["InvalidWeight", "InvalidSplit"]


def test_a_leaf_that_is_named_twice_is_one_row_with_the_sum() -> None:
    twice = split("a", service="web", backends=[*backends(v1=500), *backends(v1="500m")])
    assert states(shown(twice))[0][:3] == ("a", "v1", "500500m")


def test_prometheus_is_asked_for_apex_and_leaves_of_splits_that_have_some() -> None:
    splits = [
        split("a", service="web", backends=[*backends(web=1, v1=1), *backends(v1=1)]),
        split("b", service="web", backends=[]),
        split("c", backends=backends(v1=1)),
    ]
    assert asked(splits) == [Asked("ns", "a", ("web", "v1"))]
