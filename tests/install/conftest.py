"""The real helm for the tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.install.helm import Helm, Mirror

DEFAULTS = {
    "text": "one",
    "number": 1,
    "empty": None,
    "list": [1, {"a": "b"}],
    "map": {"a": 1, "b": {"c": "d", "e": None}, "none": None, "list": ["x"]},
}


@pytest.fixture(scope="session")
def renderer(helm: Path, tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """The real helm."""
    return Helm(program=helm, home=tmp_path_factory.mktemp("helm-home"))


@pytest.fixture(scope="session")
def mirror(renderer: Helm, tmp_path_factory: pytest.TempPathFactory) -> Mirror:
    """A chart with DEFAULTS that prints its values."""
    return Mirror(renderer, tmp_path_factory.mktemp("mirror") / "chart", DEFAULTS)
