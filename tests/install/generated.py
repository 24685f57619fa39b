"""Values for the chart, sound ones and a few that are not, made by hypothesis from the schema."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import hypothesis.strategies as st

Tree = dict[str, Any]
Schema = Mapping[str, Any]
Path = tuple[str, ...]

# Texts that YAML, Go and shells like to misread, and those that the Go extension's chart had.
_TEXTS = st.sampled_from(
    [
        *("", "x", "y", "no", "null", "~", "1", "007", "1e3", "0x1f", "1:30", "a b", "é", "- a"),
        *("a: b", "#c", "cluster.local", "linkerd", "v0.2.7", "v0.2.71", "cr.l5d.io/linkerd"),
        *("sha-1", "20Mi", "100m", "0.5", "1.5Gi", "1G", "2Gi", "100Mi", "1GiB", "512MiB", "3.5KB"),
        *("12h", "1h30m", "30d", "Always", "debug", "json", "keep", "registry.example/a/b", "a\n"),
    ]
)
_NUMBERS = st.sampled_from([0, 1, 2, 5, 65534, 1000650000, 2684354560, 0.5, 1e-7, 1234567.5, -1])
_SCALARS = st.none() | st.booleans() | _NUMBERS | _TEXTS
_ANYTHING = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=2)
    ),
    max_leaves=4,
)
_LABELS = st.sampled_from(
    ["team", "component", "linkerd.io/extension", "linkerd.io/inject", "cpu", "memory", "y", "1"]
)


def trees(schema: Schema) -> st.SearchStrategy[Tree]:
    """A few of the values that the schema names; some of them null or of another type."""
    leaves: list[tuple[Path, Schema]] = []
    inner: list[tuple[Path, Schema]] = []
    for place in _places(schema, ()):
        (inner if "properties" in place[1] else leaves).append(place)
    likely = st.sampled_from(leaves).flatmap(lambda place: _placed(place[0], _values(place[1])))
    seldom = st.sampled_from(inner).flatmap(lambda place: _placed(place[0], st.none() | _ANYTHING))
    choice = st.integers(0, 19).flatmap(lambda dice: seldom if dice == 19 else likely)
    return st.lists(choice, max_size=10).map(_tree)


def _places(schema: Schema, path: Path) -> Iterator[tuple[Path, Schema]]:
    """Every name that the schema knows, however deep."""
    for name, one in schema.get("properties", {}).items():
        yield (*path, name), one
        yield from _places(one, (*path, name))


def _placed(path: Path, values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Path, Any]]:
    return st.tuples(st.just(path), values)


def _tree(placed: Sequence[tuple[Path, Any]]) -> Tree:
    found: Tree = {}
    for (*parents, name), value in placed:
        at: Any = found
        for parent in parents:
            at = at.setdefault(parent, {}) if isinstance(at, dict) else None
        if isinstance(at, dict):
            at[name] = value
    return found


def _maps(schema: Schema) -> st.SearchStrategy[Tree]:
    known = schema.get("properties", {})
    if known:
        return st.fixed_dictionaries({name: _values(one) for name, one in known.items()})
    more = schema.get("additionalProperties", True)
    inner = _values(more) if isinstance(more, dict) else _ANYTHING
    return st.dictionaries(_LABELS, inner, max_size=3)


def _values(schema: Schema) -> st.SearchStrategy[Any]:
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    types = schema.get("type", "object")
    names = [types] if isinstance(types, str) else list(types)
    likely = st.one_of([_of_type(name, schema) for name in names if name != "null"])
    seldom = st.none() if "null" in names else likely

    def chosen(dice: int) -> st.SearchStrategy[Any]:
        return _ANYTHING if dice == 59 else seldom if dice > 54 else likely

    return st.integers(0, 59).flatmap(chosen)


def _of_type(name: str, schema: Schema) -> st.SearchStrategy[Any]:
    if name == "object":
        return _maps(schema)
    if name == "array":
        return st.lists(_values(schema.get("items", {})), max_size=2)
    if name in ("integer", "number"):
        low, high = schema.get("minimum", 0), schema.get("maximum", 2**31)
        return st.integers(low, high) if name == "integer" else _NUMBERS
    if name == "string":
        return _fitting(schema)
    return st.booleans()


def _fitting(schema: Schema) -> st.SearchStrategy[str]:
    if "pattern" not in schema:
        return _TEXTS
    pattern = schema["pattern"].replace("$", r"\Z").replace(r"\s", "[ ]")
    # Sizes beyond 8 EiB make the chart's sums overflow.
    fitting = st.from_regex(pattern.replace("[0-9]+", "[0-9]{1,6}"))
    likely = _TEXTS.filter(lambda text: _matches(schema["pattern"], text))
    return st.one_of(likely, likely, fitting)


def _matches(pattern: str, text: str) -> bool:
    return re.search(pattern.replace("$", r"\Z"), text, re.ASCII) is not None
