"""The pattern of a weight, against the quantities that Go's own parser was asked about."""

from __future__ import annotations

import json
import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from reactor.model import quantity
from tests.cluster.crds import traffic_split_crd

RECORDED = Path(__file__).parents[1] / "unit" / "model" / "quantities.jsonl"
_WEIGHT = traffic_split_crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"][
    "spec"
]["properties"]["backends"]["items"]["properties"]["weight"]
# In Go's expressions $ is the end alone, and \d and \s are ASCII.
PATTERN = re.compile(_WEIGHT["pattern"].replace("$", r"\Z"), re.ASCII)
TEXTS = [json.loads(line) for line in RECORDED.read_text(encoding="utf-8").splitlines()]


def good(text: str) -> bool:
    """Whether the adaptor can honour it."""
    try:
        return quantity.from_json(text).nanos >= 0
    except ValueError:
        return False


def test_whatever_go_writes_is_let_in() -> None:
    written = {canonical for _, canonical, *_ in (text for text in TEXTS if len(text) > 1)}
    assert len(written) > 1000
    refused = {text for text in written if not PATTERN.match(text)}
    assert all(text.startswith("-") for text in refused)


def test_what_the_adaptor_honours_is_let_in_if_it_has_a_number_and_no_minus() -> None:
    # Go reads a suffix alone as 0, which nobody means, and has a -0.
    honoured = [text for text, *_ in TEXTS if good(text)]
    refused = [text for text in honoured if not PATTERN.match(text)]
    assert len(honoured) > 1000
    assert all(text.startswith("-") or not re.match(r"\+?\.?[0-9]", text) for text in refused)


@given(st.from_regex(PATTERN))
def test_what_is_let_in_can_be_honoured_or_is_too_large(text: str) -> None:
    told = ""
    try:
        assert quantity.from_json(text).nanos >= 0
    except ValueError as error:
        told = str(error)
    # An exponent may have any length here, and a number any number of digits.
    assert not told or re.search("larger than any|no suffix of|at most 1024", told)
