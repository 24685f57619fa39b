"""Where the guide is walked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.guide.place import Place, with_linkerd


@pytest.fixture
def place(
    cluster_programs: None, node_programs: None, kubectl: Path, helm: Path, tmp_path: Path
) -> Iterator[Place]:
    """A cluster of the test's own, with Linkerd in it."""
    with with_linkerd(tmp_path, kubectl=kubectl, helm=helm) as made:
        yield made
