"""JSON numbers come out as Go's decoder, etcd and encoder leave them."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor.sandbox import documents, numbers

INT64 = st.integers(-(2**63), 2**63 - 1)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("literal", "stored"),
    [
        ("1e3", "1000"),
        ("1E+2", "100"),
        ("500.0", "500"),
        ("0.5", "0.5"),
        ("-0", "0"),
        ("-0.0", "0"),
        ("9223372036854775807", "9223372036854775807"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("9223372036854775808", "9223372036854776000"),
        ("18446744073709551616", "18446744073709552000"),
        ("1e20", "100000000000000000000"),
        ("1e21", "1e+21"),
        ("1.5e300", "1.5e+300"),
        ("0.000001", "0.000001"),
        ("0.0000001", "1e-7"),
        ("1.25e-9", "1.25e-9"),
        ("123456789.125", "123456789.125"),
        ("true", "true"),
        ('"1e3"', '"1e3"'),
        ('{"uid":"1e5"}', '{"uid":"1e5"}'),
        ('[1e21,{"a":1e-7}]', '[1e+21,{"a":1e-7}]'),
    ],
)
def test_a_number_is_stored_in_its_normal_form(literal: str, stored: str) -> None:
    document = documents.decode('{"weight":' + literal + "}")
    assert documents.encode(document).decode() == '{"weight":' + stored + "}"


@given(INT64)
def test_no_digit_of_an_int64_is_lost(number: int) -> None:
    assert documents.encode(documents.decode(str(number))) == str(number).encode()


@given(FLOATS)
def test_a_float_keeps_its_value(number: float) -> None:
    written = documents.encode(documents.decode(json.dumps(number)))
    assert float(written) == number


@given(FLOATS)
def test_what_is_normal_stays_as_it_is(number: float) -> None:
    once = documents.encode(documents.decode(json.dumps([number])))
    assert documents.encode(documents.decode(once)) == once


@given(FLOATS)
def test_an_exponent_is_written_where_go_writes_one(number: float) -> None:
    size = abs(number)
    plain = number == 0 or 1e-6 <= size < 1e21
    assert ("e" not in numbers.text(number)) is plain
    if number == 0:
        assert numbers.text(number) == ("-0" if math.copysign(1, number) < 0 else "0")


@pytest.mark.parametrize("bad", ["", "{", "nan", "[1,]", '{"a":01}', "\x00"])
def test_what_is_no_json_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        documents.decode(bad)
