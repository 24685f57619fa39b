"""Fixtures of the crashes: a cluster with a fault script, unless a test asks for the real one."""

from __future__ import annotations

import pytest

from tests.contract.conftest import cluster

__all__ = ["cluster"]


@pytest.fixture
def server() -> str:
    """The sandbox, whose fault script stops a request at the instant wanted."""
    return "sandbox"
