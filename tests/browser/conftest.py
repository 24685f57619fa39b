"""One sandbox, one adaptor and one browser for all tests here, with a story to show."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from reactor.sandbox.server import Sandbox
from tests.browser import chromium
from tests.browser.story import NAMESPACE, tell
from tests.cluster.api import Api
from tests.cluster.control_plane import ADAPTOR
from tests.cluster.crds import permissive_traffic_split_crd
from tests.cluster.prepare import apply_definitions, apply_roles, ensure_namespace
from tests.contract.cluster import Cluster


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cluster]:
    """A sandbox in which any split passes."""
    directory = tmp_path_factory.mktemp("browser")
    async with AsyncExitStack() as stack:
        found = await _sandbox(stack, directory)
        yield found
        for adaptor in found.adaptors:
            await adaptor.stop()


async def _sandbox(stack: AsyncExitStack, directory: Path) -> Cluster:
    sandbox = await stack.enter_async_context(Sandbox())
    admin = sandbox.write_kubeconfig(directory / "admin.kubeconfig")
    kubeconfig = sandbox.write_kubeconfig(directory / "adaptor.kubeconfig", user=ADAPTOR)
    api = await stack.enter_async_context(Api.connect(admin))
    await apply_definitions(api, permissive_traffic_split_crd())
    await apply_roles(api)
    await ensure_namespace(api, NAMESPACE)
    return Cluster("sandbox", api, NAMESPACE, kubeconfig, directory, sandbox=sandbox)


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def url(cluster: Cluster) -> str:
    """Where an adaptor shows the story to whoever asks."""
    adaptor = await cluster.adaptor("-admin-auth=none").start()
    await tell(cluster, adaptor)
    return f"http://127.0.0.1:{adaptor.daemon.port}"


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def browser() -> AsyncIterator[Browser]:
    """Chromium."""
    chromium.require()
    async with chromium.chromium() as found:
        yield found
