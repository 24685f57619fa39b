"""Quantities: against the grammar, and against what Go's own library printed."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor.model import quantity
from reactor.model.quantity import NANOS, Quantity

GOLDEN = Path(__file__).with_name("quantities.jsonl")
DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}

digits = st.text("0123456789", max_size=25)


@st.composite
def spelled(draw: st.DrawFn) -> tuple[str, Fraction, bool]:
    """A text of the grammar, its exact value, and whether its suffix is binary."""
    sign = draw(st.sampled_from(["", "+", "-"]))
    whole = draw(digits.filter(bool))
    decimals = draw(digits)
    binary = draw(st.booleans())
    if binary:
        suffix, power = draw(st.sampled_from(sorted(BINARY.items())))
        unit = Fraction(2) ** power
    elif draw(st.booleans()):
        suffix, power = draw(st.sampled_from(sorted(DECIMAL.items())))
        unit = Fraction(10) ** power
    else:
        power = draw(st.integers(-40, 40))
        suffix = draw(st.sampled_from(["e", "E"])) + draw(
            st.sampled_from([str(power), f"{power:+d}", f"{power:+04d}"])
        )
        unit = Fraction(10) ** power
    point = "." if decimals or draw(st.booleans()) else ""
    value = Fraction(int(whole + decimals), 10 ** len(decimals)) * unit
    return f"{sign}{whole}{point}{decimals}{suffix}", -value if sign == "-" else value, binary


def test_every_text_means_and_prints_what_it_does_in_go() -> None:
    wrong: list[object] = []
    for line in GOLDEN.read_text().splitlines():
        text, *expected = json.loads(line)
        try:
            found: Quantity | None = quantity.parse(text)
        except ValueError:
            found = None
        if not expected:
            wrong += [] if found is None else [(text, found)]
            continue
        printed, unscaled, scale, form = expected
        nanos = Fraction(int(unscaled)) * NANOS / Fraction(10) ** scale
        if found is None or (found.nanos, found.text, found.format) != (nanos, printed, form):
            wrong.append((text, found))
    assert wrong == []


@given(spelled())
def test_the_value_is_exact_and_rounded_away_from_zero_below_a_nano(
    sample: tuple[str, Fraction, bool],
) -> None:
    text, value, binary = sample
    size = -(-abs(value) * NANOS // 1)
    if binary:
        size = min(size, (2**63 - 1) * NANOS)
    assert quantity.parse(text).nanos == (-size if value < 0 else size)


@given(spelled())
def test_the_canonical_text_is_a_fixed_point(sample: tuple[str, Fraction, bool]) -> None:
    found = quantity.parse(sample[0])
    spelling = quantity.from_nanos(found.nanos, found.format)
    if abs(found.nanos) < 10**21 * NANOS:  # beyond, Go has no suffix and drops it
        again = quantity.parse(spelling.text)
        assert again.nanos == found.nanos
        assert quantity.from_nanos(again.nanos, again.format).text == spelling.text
        assert quantity.parse(found.text).text == found.text


@given(st.text(max_size=40) | st.text("0123456789.+-eEinumkKMGTP", max_size=12))
def test_no_text_raises_anything_but_one_sentence(text: str) -> None:
    sentence = ""
    try:
        quantity.parse(text)
    except ValueError as error:
        sentence = str(error)
    assert len(sentence) < 400
    assert sentence.isprintable()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (500, "500"),
        (1000, "1k"),
        (Decimal("0.5"), "500m"),
        (Decimal("1E+3"), "1k"),
        (Decimal("1e3"), "1k"),
        (Decimal("500.0"), "500"),
        (Decimal("0.50"), "500m"),
        (Decimal("-0.0"), "0"),
        (Decimal("1.5e2"), "150"),
        (Decimal("12345.678"), "12345.678"),
        (Decimal("12345.67"), "12345670m"),
        (Decimal("0.000001"), "1u"),
        (Decimal("1E-7"), "100e-9"),
        (Decimal("1E+21"), "1e+21"),
        (10**18, "1E"),
        ("1e3", "1e3"),
        ("1k", "1k"),
        (" 500m ", "500m"),
        ("0.5", "500m"),
    ],
)
def test_a_json_value_is_read_as_the_api_server_stores_it(value: object, text: str) -> None:
    assert quantity.from_json(value).text == text


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (None, "null"),
        (True, "true"),
        ([], "a list"),
        ({}, "an object"),
        (0.5, "a float"),
        ("lots", "'lots'"),
        ("", "''"),
        (Decimal("9e999999"), "larger than any"),
        (Decimal("Infinity"), "'Infinity'"),
        (10**4000, "larger than any"),
    ],
)
def test_what_is_no_quantity_is_refused_by_name(value: object, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        quantity.from_json(value)


@pytest.mark.parametrize(
    "text",
    [
        "1e999999",
        "1e2147483647",
        "9" * 2_000_000,
        "0" * 2_000_000 + "1",
        "1e" + "9" * 1_000_000,
        "." * 1_000_000,
        "0" * 1_000 + "x",
        "1" * 500 + "." + "0" * 500 + "x",
        "\ud800",
    ],
    ids=lambda text: f"{text[:12]!a}",
)
def test_hostile_texts_cost_nothing_and_are_refused(text: str) -> None:
    started = process_time()
    with pytest.raises(ValueError, match=r"characters|larger|not a Kubernetes quantity"):
        quantity.parse(text)
    assert process_time() - started < 1.0


@pytest.mark.parametrize("text", ["1e-999999", "1e-2147483648", "0.0000000000000001"])
def test_what_is_below_a_nano_becomes_one(text: str) -> None:
    assert quantity.parse(text).nanos == 1


@pytest.mark.parametrize(
    ("left", "right", "text"),
    [("500", "500", "1k"), ("1e3", "1k", "2e3"), ("0", "1e3", "1e3"), ("1m", "999m", "1")],
)
def test_sums_are_spelled_as_go_spells_them(left: str, right: str, text: str) -> None:
    assert quantity.total([quantity.parse(left), quantity.parse(right)]).text == text
