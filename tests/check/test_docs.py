"""The page about the checks lists them all, in their order."""

from __future__ import annotations

import re

from tests.check.names import NAMES
from tests.cluster.crds import REPOSITORY


def test_the_page_lists_every_check_in_its_order() -> None:
    page = (REPOSITORY / "docs" / "check.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| ((?!check |---)[^|]+) \|", page, re.MULTILINE)
    assert listed == [name.partition(" (")[0] for name in NAMES]
