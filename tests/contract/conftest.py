"""Fixtures of the contract tests: each test runs on the sandbox and on the real server."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from reactor.sandbox.server import Sandbox
from tests.cluster.api import CRDS, Api
from tests.cluster.control_plane import ADAPTOR, ControlPlane
from tests.cluster.crds import traffic_split_crd
from tests.cluster.prepare import (
    apply_definitions,
    apply_roles,
    empty_namespace,
    ensure_namespace,
    use_permissive_splits,
    use_shipped_splits,
)
from tests.contract.cluster import Cluster
from tests.contract.parity import SERVER

_DEFINITION = "trafficsplits.split.smi-spec.io"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Lets the programs of a control plane be built before any test's time limit runs."""
    for item in items:
        if isinstance(item, pytest.Function) and hasattr(item, "callspec"):
            server = item.callspec.params.get("server")
            if server is None:
                continue
            item.user_properties.append((SERVER, str(server)))
            if server == "real" and "cluster_programs" not in item.fixturenames:
                # The list is shared with the sandbox's turn, which needs no programs.
                item.fixturenames = [*item.fixturenames, "cluster_programs"]


@pytest.fixture(params=["sandbox", "real"])
def server(request: pytest.FixtureRequest) -> str:
    """Which API server answers."""
    return str(request.param)


@pytest_asyncio.fixture
async def cluster(
    server: str, request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[Cluster]:
    """A cluster with a namespace of the test's own, and adaptors that end with it."""
    async with AsyncExitStack() as stack:
        if server == "sandbox":
            found = await _sandbox(stack, tmp_path)
        else:
            found = await _real(stack, request.getfixturevalue("control_plane"), tmp_path)
        permissive = request.node.get_closest_marker("permissive") is not None
        await _schema(found.api, permissive=permissive)
        yield found
        for adaptor in found.adaptors:
            await adaptor.stop()


async def _sandbox(stack: AsyncExitStack, directory: Path) -> Cluster:
    sandbox = await stack.enter_async_context(Sandbox())
    admin = sandbox.write_kubeconfig(directory / "admin.kubeconfig")
    adaptor = sandbox.write_kubeconfig(directory / "adaptor.kubeconfig", user=ADAPTOR)
    api = await stack.enter_async_context(Api.connect(admin))
    # Its own ServiceProfile stays: Linkerd's comes from a chart that takes Go to render.
    await apply_definitions(api, traffic_split_crd())
    await apply_roles(api)
    namespace = await _namespace(stack, api)
    return Cluster("sandbox", api, namespace, adaptor, directory, sandbox=sandbox)


async def _real(stack: AsyncExitStack, plane: ControlPlane, directory: Path) -> Cluster:
    api = await stack.enter_async_context(Api.connect(plane.admin_kubeconfig))
    namespace = await _namespace(stack, api)
    return Cluster("real", api, namespace, plane.adaptor_kubeconfig, directory, plane=plane)


async def _namespace(stack: AsyncExitStack, api: Api) -> str:
    name = f"t-{uuid.uuid4().hex[:10]}"
    await ensure_namespace(api, name)
    stack.push_async_callback(empty_namespace, api, name)
    return name


async def _schema(api: Api, *, permissive: bool) -> None:
    definition = await api.get(CRDS, _DEFINITION)
    schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    if permissive and "properties" in schema:
        await use_permissive_splits(api)
    elif not permissive and "properties" not in schema:
        await use_shipped_splits(api)
