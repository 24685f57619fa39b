"""A control plane where nothing of ours has been applied yet."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.chart.cluster import Shell
from tests.cluster.api import Api
from tests.cluster.control_plane import ControlPlane


@pytest.fixture(scope="package")
def bare_plane(
    cluster_programs: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ControlPlane]:
    """Apart from the shared one: definitions and roles come and go here."""
    with ControlPlane(tmp_path_factory.mktemp("bare-plane")) as plane:
        yield plane


@pytest_asyncio.fixture
async def bare(bare_plane: ControlPlane) -> AsyncIterator[Api]:
    """Requests to it as a user who may do all."""
    async with Api.connect(bare_plane.admin_kubeconfig) as api:
        yield api


@pytest.fixture(scope="package")
def shell(
    bare_plane: ControlPlane, helm: Path, kubectl: Path, tmp_path_factory: pytest.TempPathFactory
) -> Shell:
    """helm and kubectl on it."""
    return Shell(bare_plane, helm, kubectl, tmp_path_factory.mktemp("home"))
