"""JSON in with exact numbers, and one canonical text out, whatever a user wrote."""

from __future__ import annotations

import json
from decimal import Decimal
from hashlib import sha256
from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor.model.decode import document, parse_object, pruned

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
numbers = st.integers() | st.decimals(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


@given(st.dictionaries(texts, values, max_size=5))
def test_a_canonical_document_reads_back_and_encodes_the_same(obj: dict[str, Any]) -> None:
    first = document(obj)
    again = document(parse_object(first.body))
    assert again == first
    assert first.digest == sha256(first.body).digest()


def test_key_order_and_managed_fields_make_no_other_document() -> None:
    left = parse_object(b'{"b":{"y":1,"x":2},"metadata":{"name":"n","managedFields":[{}]}}')
    right = parse_object(b'{"metadata":{"name":"n"},"b":{"x":2,"y":1}}')
    assert document(left) == document(right)
    assert document(left).body == b'{"b":{"x":2,"y":1},"metadata":{"name":"n"}}'
    assert "managedFields" in left["metadata"]


def test_numbers_stay_exact() -> None:
    found = parse_object(b'{"a":0.1000000000000000055511151231257827,"b":1e3,"c":7}')
    assert found == {"a": Decimal("0.1000000000000000055511151231257827"), "b": 1000, "c": 7}
    assert type(found["b"]) is Decimal


@pytest.mark.parametrize("depth", [200, 5_000, 500_000])
def test_deep_nesting_is_cut_and_stops_nothing(depth: int) -> None:
    raw = b'{"metadata":{"name":"n"},"spec":{"weight":' + nested(depth) + b'},"z":"after"}'
    started = process_time()
    found = parse_object(raw)
    document(found)
    assert process_time() - started < 5.0
    assert found["metadata"] == {"name": "n"}
    assert found["z"] == "after"


def test_pruning_keeps_what_is_shallow_and_brackets_in_texts() -> None:
    shallow = json.dumps({"a": "[{[{" * 200, "b": '\\"[', "c": [[1], {"d": "}"}]}).encode()
    assert pruned(shallow) == shallow
    assert json.loads(pruned(b'{"a":' + nested(300) + b',"b":1}'))["b"] == 1


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        (b'"\\ud800"', "\ufffd"),
        (b'"\\udc00x"', "\ufffdx"),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        (b'"\\\\ud800\\ud800"', "\\ud800\ufffd"),
        (b'"\xff"', "\ufffd"),
    ],
)
def test_invalid_unicode_is_replaced_as_the_api_server_does(raw: bytes, read: str) -> None:
    found = parse_object(b'{"a":' + raw + b"}")
    assert found == {"a": read}
    document(found)


@pytest.mark.parametrize(
    "number",
    ["1e999999999999999999999", "-1e99999999999999999999", "1" * 5_000, "0." + "1" * 9_999],
)
def test_numbers_beyond_all_bounds_stop_nothing(number: str) -> None:
    found = parse_object(b'{"a":' + number.encode() + b',"b":1}')
    assert found["b"] == 1
    assert parse_object(document(found).body)["b"] == 1


@pytest.mark.parametrize("raw", [b"", b"[]", b"null", b"7", b'{"a":', b"{]", b'"x"', b"\xff\xfe"])
def test_what_is_no_object_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match="JSON"):
        parse_object(raw)


def test_a_large_line_that_breaks_off_is_refused_quickly() -> None:
    raw = b'{"a":"' + b'\\"' * 1_000_000
    started = process_time()
    with pytest.raises(ValueError, match="JSON"):
        parse_object(raw)
    assert process_time() - started < 5.0


def test_lone_surrogates_in_values_do_not_stop_the_encoding() -> None:
    assert document({"a\ud800": ["\udfff"]}).body == b'{"a?":["?"]}'
