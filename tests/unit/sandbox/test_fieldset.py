"""Field sets: written, read and compared as Kubernetes does."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reactor.sandbox.documents import copy
from reactor.sandbox.fieldset import compare, from_fields, to_fields
from reactor.sandbox.managedfields import Manager, update
from reactor.sandbox.shape import OBJECT, PLAIN, SERVICE

STEPS = st.sampled_from(["f:a", "f:b", "f:c", 'k:{"x":1}', 'v:"y"'])
PATHS = st.frozensets(st.lists(STEPS, min_size=1, max_size=4).map(tuple), max_size=12)
VALUES = st.recursive(
    st.booleans() | st.integers(0, 3) | st.text(max_size=1),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from("abc"), inner, min_size=1, max_size=3)
    ),
    max_leaves=8,
)
SPECS = st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3)


@given(PATHS)
def test_a_set_is_read_as_it_was_written(paths: frozenset[tuple[str, ...]]) -> None:
    assert from_fields(to_fields(paths)) == paths


def test_the_parents_of_an_added_field_are_added_too() -> None:
    change = compare({}, {"spec": {"a": {"b": 1}, "c": [1]}}, PLAIN)
    assert to_fields(change.added) == {"f:spec": {".": {}, "f:a": {".": {}, "f:b": {}}, "f:c": {}}}
    assert not change.modified
    assert not change.removed


def test_list_items_are_told_apart_by_their_keys() -> None:
    old = {"spec": {"ports": [{"port": 80, "name": "a"}]}}
    new = {"spec": {"ports": [{"port": 80, "name": "b"}, {"port": 81}]}}
    change = compare(old, new, SERVICE)
    item = 'k:{"port":81,"protocol":"TCP"}'
    assert to_fields(change.modified) == {
        "f:spec": {"f:ports": {'k:{"port":80,"protocol":"TCP"}': {"f:name": {}}}}
    }
    assert to_fields(change.added) == {"f:spec": {"f:ports": {item: {".": {}, "f:port": {}}}}}


def test_an_atomic_map_changes_as_a_whole() -> None:
    old, new = {"spec": {"selector": {"a": "1"}}}, {"spec": {"selector": {"a": "1", "b": "2"}}}
    assert compare(old, new, SERVICE).modified == {("f:spec", "f:selector")}


@given(SPECS, SPECS)
def test_a_comparison_backwards_swaps_what_came_and_what_went(
    old: dict[str, Any], new: dict[str, Any]
) -> None:
    there, back = compare(old, new, PLAIN), compare(new, old, PLAIN)
    assert there.modified == back.modified
    assert there.added == back.removed
    assert there.removed == back.added


@given(st.lists(st.tuples(st.sampled_from(["x", "y", "z"]), SPECS), min_size=1, max_size=5))
def test_every_leaf_has_one_owner_and_no_owner_has_what_is_gone(
    writes: list[tuple[str, dict[str, Any]]],
) -> None:
    live: dict[str, Any] = {"metadata": {}}
    for manager, spec in writes:
        new = {"metadata": {"name": "n"}, "spec": copy(spec)}
        update(
            live,
            new,
            manager=Manager(manager, "Update", "v1"),
            shape=OBJECT,
            now="2026-01-01T00:00:00Z",
        )
        new["metadata"]["uid"] = "u"
        live = new
    owned = [
        path
        for entry in live["metadata"].get("managedFields", [])
        for path in from_fields(entry["fieldsV1"])
    ]
    there = compare({}, {"spec": live["spec"]}, PLAIN).added - {()}
    assert len(owned) == len(set(owned))
    assert set(owned) <= there


def test_the_eleventh_manager_folds_the_oldest_two() -> None:
    live: dict[str, Any] = {"metadata": {}}
    for number in range(11):
        held = live.get("spec", {})
        new = {"metadata": {"name": "n"}, "spec": {**copy(held), f"f{number}": 1}}
        update(
            live,
            new,
            manager=Manager(f"m{number:02}", "Update", "v1"),
            shape=OBJECT,
            now=f"2026-01-01T00:00:{number:02}Z",
        )
        new["metadata"]["uid"] = "u"
        live = new
    entries = live["metadata"]["managedFields"]
    assert len(entries) == 10
    ancient = next(entry for entry in entries if entry["manager"] == "ancient-changes")
    assert set(ancient["fieldsV1"]["f:spec"]) == {".", "f:f0", "f:f1"}
