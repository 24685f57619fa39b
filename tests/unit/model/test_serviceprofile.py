"""Profiles as decoded, and the bodies of the three writes."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor.model import serviceprofile
from reactor.model.meta import Manager
from reactor.model.serviceprofile import Override, ServiceProfile, same

METADATA: dict[str, Any] = {"namespace": "ns", "name": "web.ns.svc.cluster.local", "uid": "u"}
PAIR = (Override("a.ns.svc.cluster.local", "500"), Override("b.ns.svc.cluster.local", "1k"))
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["authority", "weight", "dstOverrides"]) | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


def read(spec: object, *, held: dict[str, Any] | None = None, **others: Any) -> ServiceProfile:
    return serviceprofile.decode({"metadata": {**METADATA, **(held or {})}, "spec": spec, **others})


def item(authority: str = "a", weight: object = "1", **others: object) -> dict[str, object]:
    return {"authority": authority, "weight": weight, **others}


@pytest.mark.parametrize(
    ("found", "overrides"),
    [
        (None, None),
        ([], ()),
        ([item("a", "500m")], (Override("a", "500m"),)),
        ([item("a", 500)], (Override("a", "500"),)),
        ([item("a", Decimal("0.5"))], (Override("a", "500m"),)),
    ],
)
def test_overrides_are_read(found: object, overrides: object) -> None:
    profile = read({"dstOverrides": found})
    assert profile.readable
    assert profile.overrides == overrides


@pytest.mark.parametrize(
    "found",
    [
        "x",
        {},
        [1],
        [{"authority": "a"}],
        [item("a", "lots")],
        [item("a", None)],
        [item("a", "1", extra=1)],
        [{"authority": 3, "weight": "1"}],
        [item("a", "1000E")],
    ],
)
def test_a_shape_that_we_never_write_is_unreadable(found: object) -> None:
    profile = read({"dstOverrides": found})
    assert not profile.readable
    assert profile.overrides == ()


@pytest.mark.parametrize("spec", [None, {}, {"dstOverrides": [item()]}])
def test_a_profile_with_nothing_but_overrides_is_bare(spec: object) -> None:
    assert read(spec, held={"labels": {}, "annotations": None}).bare


@pytest.mark.parametrize(
    ("spec", "held", "others"),
    [
        ({"routes": []}, {}, {}),
        ({"retryBudget": {"retryRatio": Decimal("0.2")}}, {}, {}),
        ("x", {}, {}),
        ({}, {"labels": {"a": "b"}}, {}),
        ({}, {"annotations": {"a": "b"}}, {}),
        ({}, {"ownerReferences": [{}]}, {}),
        ({}, {"finalizers": ["x"]}, {}),
        ({}, {}, {"status": {"x": 1}}),
    ],
)
def test_whatever_else_it_holds_makes_it_more_than_bare(
    spec: object, held: dict[str, Any], others: dict[str, Any]
) -> None:
    assert not read(spec, held=held, **others).bare


@pytest.mark.parametrize("value", ["true", "", None])
def test_the_skip_annotation_counts_with_any_value(value: object) -> None:
    assert read({}, held={"annotations": {"smi.linkerd.io/skip": value}}).skip
    assert not read({}, held={"annotations": {"other": value}}).skip


@pytest.mark.parametrize(
    ("managers", "ours", "only"),
    [
        ([], False, False),
        ([Manager("smi-adaptor", "Update", "t", True)], True, True),
        ([Manager("smi-adaptor", "Update", "t")], False, True),
        ([Manager("smi-adaptor", "Apply", "t", True)], False, True),
        (
            [Manager("smi-adaptor", "Update", "t", True), Manager("kubectl", "Update", "t")],
            True,
            False,
        ),
        ([Manager("kubectl", "Update", "t", True)], False, False),
    ],
)
def test_ownership_is_what_managed_fields_say(
    managers: list[Manager], ours: bool, only: bool
) -> None:
    entries = [
        {
            "manager": manager.name,
            "operation": manager.operation,
            "time": manager.time,
            "fieldsV1": {"f:spec": {"f:dstOverrides": {}} if manager.weights else {}},
        }
        for manager in managers
    ]
    profile = read({}, held={"managedFields": entries})
    assert (profile.ours, profile.only_ours) == (ours, only)


@given(anything)
def test_no_spec_raises(spec: Any) -> None:
    read(spec)
    read({"dstOverrides": spec})


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        (PAIR, PAIR, True),
        (PAIR, (PAIR[0], Override(PAIR[1].authority, "1000")), True),
        (PAIR, (PAIR[0], Override(PAIR[1].authority, "1e3")), True),
        (PAIR, (PAIR[0], Override(PAIR[1].authority, "1001")), False),
        (PAIR, PAIR[::-1], False),
        (PAIR, PAIR[:1], False),
        (PAIR, (PAIR[0], Override("other", "1k")), False),
        ((), (), True),
    ],
)
def test_overrides_compare_by_order_and_value(
    left: tuple[Override, ...], right: tuple[Override, ...], equal: bool
) -> None:
    assert same(left, right) is equal


def test_a_new_profile_holds_its_overrides_alone() -> None:
    assert json.loads(serviceprofile.create_body("ns", "web.ns.svc.cluster.local", PAIR)) == {
        "apiVersion": "linkerd.io/v1alpha2",
        "kind": "ServiceProfile",
        "metadata": {"namespace": "ns", "name": "web.ns.svc.cluster.local"},
        "spec": {
            "dstOverrides": [
                {"authority": "a.ns.svc.cluster.local", "weight": "500"},
                {"authority": "b.ns.svc.cluster.local", "weight": "1k"},
            ]
        },
    }


def test_a_patch_touches_the_overrides_alone_and_names_its_version() -> None:
    assert json.loads(serviceprofile.patch_body(PAIR[:1], "42")) == {
        "metadata": {"resourceVersion": "42"},
        "spec": {"dstOverrides": [{"authority": "a.ns.svc.cluster.local", "weight": "500"}]},
    }
    assert json.loads(serviceprofile.patch_body(None, "42"))["spec"] == {"dstOverrides": None}


def test_a_deletion_names_the_object_and_its_version() -> None:
    assert json.loads(serviceprofile.delete_body("u", "42"))["preconditions"] == {
        "uid": "u",
        "resourceVersion": "42",
    }
