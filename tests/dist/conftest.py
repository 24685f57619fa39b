"""A machine to install the release on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dist.machine import Machine


@pytest.fixture
def machine(wheelhouse: Path, tmp_path: Path) -> Machine:
    """An empty HOME, and no program but the few that any machine has."""
    return Machine(tmp_path / "a user's machine", source=wheelhouse)
