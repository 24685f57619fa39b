"""The page about the sandbox lists the whole fault script."""

from __future__ import annotations

import re

from reactor.sandbox.faults import Faults
from tests import docs

# What the server calls, not a test.
INNER = {"early", "late", "stale_version", "pass_through"}


def test_the_page_lists_every_fault_and_none_that_is_not_there() -> None:
    page = (docs.ROOT / "docs" / "sandbox.md").read_text()
    rows = re.findall(r"^\| `(.*) \|.*\|$", page, re.MULTILINE)
    listed = {name for row in rows for name in re.findall(r"(?:^|`)(\w+)\(", row)}
    faults = {name for name in vars(Faults) if not name.startswith("_")} - INNER
    assert listed == faults
