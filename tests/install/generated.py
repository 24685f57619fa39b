"""Values for the chart, sound ones and a few that are not, made by hypothesis from the schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import hypothesis.strategies as st

Tree = dict[str, Any]
Schema = Mapping[str, Any]

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
    """Some of the values that the schema names; about one in fifty is of another type."""
    return _maps(schema)


def _maps(schema: Schema) -> st.SearchStrategy[Tree]:
    known = schema.get("properties", {})
    if known:
        required = set(schema.get("required", ()))
        return st.fixed_dictionaries(
            {name: _values(one) for name, one in known.items() if name in required},
            optional={name: _values(one) for name, one in known.items() if name not in required},
        )
    more = schema.get("additionalProperties", True)
    inner = _values(more) if isinstance(more, dict) else _ANYTHING
    return st.dictionaries(_LABELS, inner, max_size=3)


def _values(schema: Schema) -> st.SearchStrategy[Any]:
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    types = schema.get("type", "object")
    found = [_of_type(name, schema) for name in ([types] if isinstance(types, str) else types)]
    likely = st.one_of(found)
    return st.integers(0, 49).flatmap(lambda dice: _ANYTHING if dice == 49 else likely)


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
    return st.booleans() if name == "boolean" else st.none()


def _fitting(schema: Schema) -> st.SearchStrategy[str]:
    if "pattern" not in schema:
        return _TEXTS
    fitting = st.from_regex(schema["pattern"].replace("$", r"\Z").replace(r"\s", "[ ]"))
    likely = _TEXTS.filter(lambda text: _matches(schema["pattern"], text))
    return st.one_of(likely, likely, fitting)


def _matches(pattern: str, text: str) -> bool:
    import re

    return re.search(pattern.replace("$", r"\Z"), text, re.ASCII) is not None
