"""Fixtures of the races: one sandbox to script, and logs that must hold whatever happened."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from reactor.audit.chain import verify
from reactor.sandbox.faults import Faults
from reactor.sandbox.server import Sandbox
from tests.contract.cluster import Cluster
from tests.contract.conftest import cluster

__all__ = ["cluster"]


@pytest.fixture
def server() -> str:
    """Only the sandbox has a fault script."""
    return "sandbox"


@pytest.fixture
def sandbox(cluster: Cluster) -> Sandbox:
    """The API server of this test."""
    assert cluster.sandbox is not None
    return cluster.sandbox


@pytest.fixture
def faults(sandbox: Sandbox) -> Faults:
    """What goes wrong in this test."""
    return sandbox.faults


@pytest_asyncio.fixture(autouse=True)
async def sound_logs(cluster: Cluster) -> AsyncIterator[None]:
    """Every decision in every log has its outcome, and the chain holds."""
    yield
    assert cluster.sandbox is not None
    cluster.sandbox.faults.clear()
    for adaptor in cluster.adaptors:
        await adaptor.stop()
    for adaptor in cluster.adaptors:
        decided = [row["reconcile"] for row in await adaptor.rows(kind="translated")]
        ended = [row["reconcile"] for row in await adaptor.rows(kind="synced")]
        assert sorted(decided) == sorted(ended)
        verdict = await verify(f"sqlite:///{adaptor.log_file}")
        assert verdict.problem is None
