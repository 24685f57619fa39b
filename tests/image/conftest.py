"""The image, built once for all tests of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image.builder import Image
from tests.image.dockerfile import Stage, parse

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def stages() -> list[Stage]:
    """What the Dockerfile says."""
    return parse((ROOT / "Dockerfile").read_text())


@pytest.fixture(scope="session")
def image(stages: list[Stage], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    """The image, built by the steps of the Dockerfile."""
    directory = tmp_path_factory.mktemp("image")
    built = Image(stages=stages, context=ROOT, directory=directory)
    built.build()
    yield built
    shutil.rmtree(directory, ignore_errors=True)
