"""Patches: RFC 7386's own examples, strategic merges, and rules that hold for all of them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor.sandbox import strategic
from reactor.sandbox.documents import copy
from reactor.sandbox.patch import merge
from reactor.sandbox.shape import SERVICE, WORKLOAD
from reactor.sandbox.status import StatusError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(st.text(), VALUES, max_size=4)


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_merge_patch_gives_what_the_rfc_says(target: Any, patch: Any, result: Any) -> None:
    assert merge(target, patch) == result


@given(DOCUMENTS, DOCUMENTS)
def test_merging_twice_is_merging_once(target: dict[str, Any], patch: dict[str, Any]) -> None:
    once = merge(copy(target), patch)
    assert merge(copy(once), patch) == once


@given(DOCUMENTS)
def test_an_empty_patch_changes_nothing(target: dict[str, Any]) -> None:
    assert merge(copy(target), {}) == target


def test_lists_merge_by_their_key() -> None:
    service = {"spec": {"ports": [{"port": 80, "name": "a"}, {"port": 81, "name": "b"}]}}
    patch = {"spec": {"ports": [{"port": 81, "name": "c"}, {"port": 82}]}}
    assert strategic.merge(service, patch, SERVICE)["spec"]["ports"] == [
        {"port": 80, "name": "a"},
        {"port": 81, "name": "c"},
        {"port": 82},
    ]


def test_a_directive_deletes_one_item() -> None:
    service = {"spec": {"ports": [{"port": 80}, {"port": 81}]}}
    patch = {"spec": {"ports": [{"port": 80, "$patch": "delete"}]}}
    assert strategic.merge(service, patch, SERVICE)["spec"]["ports"] == [{"port": 81}]


def test_a_directive_replaces_the_list() -> None:
    service = {"spec": {"ports": [{"port": 80}, {"port": 81}]}}
    patch = {"spec": {"ports": [{"port": 9}, {"$patch": "replace"}]}}
    assert strategic.merge(service, patch, SERVICE)["spec"]["ports"] == [{"port": 9}]


def test_a_directive_replaces_or_empties_a_map() -> None:
    document = {"metadata": {"labels": {"a": "1"}}}
    replaced = strategic.merge(
        copy(document), {"metadata": {"labels": {"b": "2", "$patch": "replace"}}}, SERVICE
    )
    emptied = strategic.merge(
        copy(document), {"metadata": {"labels": {"$patch": "delete"}}}, SERVICE
    )
    assert replaced["metadata"]["labels"] == {"b": "2"}
    assert emptied["metadata"]["labels"] == {}


def test_retain_keys_drops_the_others() -> None:
    document = {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}
    patch = {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}
    merged = strategic.merge(document, patch, WORKLOAD)
    assert merged["spec"]["strategy"] == {"type": "Recreate"}


def test_an_order_is_obeyed() -> None:
    service = {"spec": {"ports": [{"port": 80}, {"port": 81}]}}
    patch = {
        "spec": {
            "$setElementOrder/ports": [{"port": 81}, {"port": 80}],
            "ports": [{"port": 80, "name": "a"}],
        }
    }
    assert strategic.merge(service, patch, SERVICE)["spec"]["ports"] == [
        {"port": 81},
        {"port": 80, "name": "a"},
    ]


def test_finalizers_are_a_set() -> None:
    document = {"metadata": {"finalizers": ["a", "b"]}}
    added = strategic.merge(copy(document), {"metadata": {"finalizers": ["b", "c"]}}, SERVICE)
    dropped = strategic.merge(
        copy(document), {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"]}}, SERVICE
    )
    assert added["metadata"]["finalizers"] == ["a", "b", "c"]
    assert dropped["metadata"]["finalizers"] == ["b"]


def test_an_item_without_its_key_is_refused() -> None:
    with pytest.raises(StatusError, match="does not contain declared merge key: port"):
        strategic.merge({"spec": {"ports": [{"port": 1}]}}, {"spec": {"ports": [{}]}}, SERVICE)
