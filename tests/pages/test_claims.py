"""A claim on a page names the test that holds it."""

from __future__ import annotations

import ast
import re

from tests import docs

_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def test_every_test_that_the_readme_names_exists() -> None:
    named = _TEST.findall((docs.ROOT / "README.md").read_text())
    assert len(named) > 10
    for file, test in named:
        tree = ast.parse((docs.ROOT / file).read_text())
        found = {node.name for node in ast.walk(tree) if hasattr(node, "name")}
        assert test in found, f"{file}::{test}"
