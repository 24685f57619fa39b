"""Splits as decoded: what is wrong in one becomes its problem, never an exception."""

from __future__ import annotations

from decimal import Decimal
from time import process_time
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor.model import trafficsplit
from reactor.model.decode import parse_object
from reactor.model.trafficsplit import TrafficSplit

METADATA = {"namespace": "ns", "name": "canary", "uid": "u-1", "resourceVersion": "7"}
words = st.sampled_from(["web", "web.ns", "web.other", "Web", "", "500m", "1e3", "-1", "lots"])
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals()
    | st.decimals(allow_nan=False).map(lambda value: value.scaleb(900_000))
    | words
    | st.text(max_size=6)
)
keys = st.sampled_from(["service", "backends", "weight", "matches", "kind"]) | st.text(max_size=4)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=5),
    max_leaves=20,
)
nearly = st.fixed_dictionaries(
    {},
    optional={
        "service": st.just("web") | anything,
        "matches": st.just([]) | anything,
        "backends": st.lists(
            st.fixed_dictionaries({}, optional={"service": words, "weight": anything}), max_size=4
        )
        | anything,
    },
)


def read(spec: object, **others: Any) -> TrafficSplit:
    return trafficsplit.decode(
        {"apiVersion": "split.smi-spec.io/v1alpha2", "metadata": METADATA, "spec": spec, **others},
        domain="cluster.local",
    )


def weights(split: TrafficSplit) -> list[tuple[str, str]]:
    return [(backend.service, backend.weight.text) for backend in split.backends]


def test_the_guides_split_is_read() -> None:
    backends = [
        {"service": "backend-svc", "weight": 500},
        {"service": "failing-svc.ns.svc", "weight": "500m"},
    ]
    split = read({"service": "backend-svc.ns", "backends": backends})
    assert split.problem is None
    assert split.service == "backend-svc"
    assert weights(split) == [("backend-svc", "500"), ("failing-svc", "500m")]
    assert split.api_version == "split.smi-spec.io/v1alpha2"
    assert split.meta.name == "canary"


def test_a_json_number_is_what_the_api_server_would_have_stored() -> None:
    raw = (
        b'{"service":"web","backends":[{"service":"a","weight":1e3},{"service":"b","weight":0.50}]}'
    )
    spec = parse_object(raw)
    assert weights(read(spec)) == [("a", "1k"), ("b", "500m")]


@pytest.mark.parametrize("matches", [None, []])
def test_no_matches_are_no_problem(matches: object) -> None:
    assert read({"service": "web", "backends": None, "matches": matches}).problem is None


ONE = [{"service": "a", "weight": 1}]


@pytest.mark.parametrize(
    ("spec", "reason", "words"),
    [
        (None, "InvalidSplit", ["spec is null", "an object"]),
        ("x", "InvalidSplit", ["spec is the text 'x'"]),
        ({}, "InvalidSplit", ["spec.service is missing"]),
        ({"service": 7}, "InvalidSplit", ["spec.service is the number 7"]),
        ({"service": "Web"}, "InvalidSplit", ["spec.service: 'Web'", "lower case"]),
        ({"service": "web."}, "InvalidSplit", ["spec.service: 'web.'"]),
        ({"service": "web.other"}, "CrossNamespace", ["spec.service", "other", "ns"]),
        ({"service": "web", "backends": {}}, "InvalidSplit", ["spec.backends is an object"]),
        ({"service": "web", "backends": [1]}, "InvalidSplit", ["spec.backends[0] is the number 1"]),
        (
            {"service": "web", "backends": [{"weight": 1}]},
            "InvalidSplit",
            ["spec.backends[0].service is missing"],
        ),
        (
            {"service": "web", "backends": [{"service": "a.other", "weight": 1}]},
            "CrossNamespace",
            ["spec.backends[0].service", "other"],
        ),
        (
            {"service": "web", "backends": [*ONE, {"service": "b"}]},
            "InvalidWeight",
            ["spec.backends[1].weight: missing"],
        ),
        (
            {"service": "web", "backends": [{"service": "b", "weight": -1}]},
            "InvalidWeight",
            ["neg"],
        ),
        (
            {"service": "web", "backends": [{"service": "b", "weight": "lots"}]},
            "InvalidWeight",
            ["spec.backends[0].weight", "'lots'", "quantity"],
        ),
        (
            {"service": "web", "backends": [{"service": "b", "weight": True}]},
            "InvalidWeight",
            ["true"],
        ),
        (
            {"service": "web", "backends": [{"service": "b", "weight": None}]},
            "InvalidWeight",
            ["null"],
        ),
        (
            {"service": "web", "backends": [{"service": "b", "weight": Decimal("1e999999")}]},
            "InvalidWeight",
            ["larger"],
        ),
        (
            {"service": "web", "backends": [{"service": "b", "weight": "x" * 2_000_000}]},
            "InvalidWeight",
            ["characters"],
        ),
        (
            {"service": "web", "backends": ONE, "matches": [{"kind": "HTTPRouteGroup"}]},
            "UnsupportedMatches",
            ["spec.matches"],
        ),
        ({"service": "web", "backends": ONE, "matches": {}}, "InvalidSplit", ["spec.matches"]),
        ({"service": "web", "backends": ONE, "matches": [3]}, "InvalidSplit", ["matches[0]"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_wrong_is_told_to_its_author(spec: Any, reason: str, words: list[str]) -> None:
    split = read(spec)
    assert split.problem is not None
    assert split.problem.reason == reason
    assert len(split.problem.message) < 400
    for word in words:
        assert word in split.problem.message
    assert split.backends == ()
    assert split.meta.uid == "u-1"


@pytest.mark.parametrize("weight", ["{}e1000", "{}" + "0" * 900 + "x", "1e-{}", "{}Ei"])
def test_two_megabytes_of_hostile_weights_take_no_time(weight: str) -> None:
    count = 2_000_000 // (len(weight) + 20)
    backends = [{"service": f"s{one}", "weight": weight.format(one)} for one in range(count)]
    started = process_time()
    read({"service": "web", "backends": backends})
    assert process_time() - started < 5.0


def test_the_service_stays_readable_although_a_backend_is_bad() -> None:
    split = read({"service": "web", "backends": [{"service": "b", "weight": "lots"}]})
    assert split.service == "web"
    assert read({"service": "web", "backends": 3}).service == "web"
    assert read({"service": "web", "matches": [{}]}).service == "web"


@given(nearly | anything)
def test_no_spec_raises(spec: Any) -> None:
    split = read(spec)
    assert (split.problem is None) or not split.backends
    assert split.problem is None or split.problem.message.isprintable()
    assert split.service is not None or split.problem is not None
    assert all(backend.weight.nanos >= 0 for backend in split.backends)
    msgspec.json.encode(split.backends)


@given(nearly | anything)
def test_a_split_reads_the_same_from_its_document(spec: Any) -> None:
    split = read(spec)
    try:
        obj = parse_object(split.document.body)
    except ValueError:
        return  # NaN is no JSON: such values come from no API server
    again = trafficsplit.decode(obj, domain="cluster.local")
    assert again.document == split.document
    assert again.backends == split.backends
