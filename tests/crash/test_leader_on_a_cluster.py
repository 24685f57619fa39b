"""A leader that is killed, on a real kube-apiserver: tests/races has the rest, in quicker time."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.cluster.adaptor import AdaptorProcess
from tests.cluster.api import LEASES
from tests.cluster.prepare import ADAPTOR_NAMESPACE
from tests.contract.cluster import Cluster
from tests.contract.waiting import until_async


@pytest.fixture
def server() -> str:
    """The real one."""
    return "real"


async def test_a_standby_takes_over_within_15_seconds_of_a_kill(cluster: Cluster) -> None:
    def process(name: str) -> AdaptorProcess:
        return AdaptorProcess(
            cluster.directory / name,
            kubeconfig=cluster.kubeconfig,
            arguments=["-leader-elect"],
            environment={"POD_NAMESPACE": ADAPTOR_NAMESPACE, "POD_NAME": name},
        )

    async def holder() -> str:
        lease = await cluster.api.find(LEASES, "smi-adaptor", ADAPTOR_NAMESPACE)
        return str(lease and lease["spec"].get("holderIdentity"))

    async def first_leads() -> bool:
        return "first" in await holder()

    first, second = process("first"), process("second")
    try:
        await asyncio.to_thread(first.start)
        await until_async(first_leads)
        await asyncio.to_thread(second.start)
        await cluster.create_split("s", "web", [("a", 1)])
        await cluster.wait_overrides("web", [("a", "1")])

        await asyncio.to_thread(lambda: first.stop(kill=True))

        killed = time.monotonic()
        await cluster.set_weights("s", [("a", 2)])
        await cluster.wait_overrides("web", [("a", "2")], timeout=15.0)
        assert time.monotonic() - killed <= 15.0
        assert "second" in await holder()
    finally:
        for adaptor in (first, second):
            await asyncio.to_thread(adaptor.__exit__, None, None, None)
        # Nobody else waits for it to expire.
        await cluster.api.delete(LEASES, "smi-adaptor", ADAPTOR_NAMESPACE)
