"""One cluster with the extension in it, for all tests of the command."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import pytest_asyncio

from tests.chart.render import render
from tests.check.site import Site
from tests.cluster.adaptor import AdaptorProcess
from tests.cluster.api import Api
from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubelet import Kubelet


@pytest.fixture(scope="package")
def site(
    cluster_programs: None,
    node_programs: None,
    helm: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    """A control plane of its own: what the checks look at is the whole cluster."""
    folder = tmp_path_factory.mktemp("check")
    with (
        ControlPlane(folder / "control-plane") as plane,
        Kubelet(folder / "kubelet", certificates=plane.directory) as kubelet,
    ):
        adaptor = AdaptorProcess(folder / "adaptor", kubeconfig=plane.admin_kubeconfig)
        made = Site(plane, kubelet, adaptor, render(helm))
        with ThreadPoolExecutor(1) as executor:
            executor.submit(asyncio.run, _install(made)).result()
        with adaptor:
            yield made


async def _install(site: Site) -> None:
    async with Api.connect(site.plane.admin_kubeconfig) as api:
        await site.install(api)


@pytest_asyncio.fixture
async def boss(site: Site) -> AsyncIterator[Api]:
    """Requests to it as a user who may do all."""
    async with Api.connect(site.plane.admin_kubeconfig) as api:
        yield api
