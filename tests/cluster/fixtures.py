"""Fixtures around a real control plane; a plugin for tests/conftest.py to name."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NoReturn

import pytest
import pytest_asyncio

from tests.cluster import binaries, guide
from tests.cluster.api import Api
from tests.cluster.control_plane import ControlPlane
from tests.cluster.crds import service_profile_crd
from tests.cluster.kubelet import Kubelet
from tests.cluster.linkerd import DestinationController
from tests.cluster.prepare import empty_namespace, ensure_namespace, prepare, prepare_for_linkerd
from tests.cluster.prometheus import Prometheus

_PROGRAMS = {
    "cluster_programs": (
        binaries.ETCD,
        binaries.KUBE_APISERVER,
        binaries.KUBE_CONTROLLER_MANAGER,
        binaries.HELM,
    ),
    "linkerd_programs": (binaries.LINKERD_CONTROLLER, binaries.DESTINATION_CLIENT),
    "kubectl": (binaries.KUBECTL,),
    "helm": (binaries.HELM,),
    "kubelet": (binaries.KUBELET_STUB,),
    "node_programs": (binaries.KUBELET_STUB,),
}
_UNAVAILABLE = pytest.StashKey[str]()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Builds what the collected tests need, before any test's time limit runs."""
    if session.config.option.collectonly:
        return
    wanted = {name for item in session.items for name in getattr(item, "fixturenames", ())}
    try:
        for fixture, programs in _PROGRAMS.items():
            if fixture in wanted:
                binaries.ensure(*programs)
        if "cluster_programs" in wanted:
            service_profile_crd()
    except binaries.Unavailable as error:
        session.config.stash[_UNAVAILABLE] = f"NO CLUSTER TESTS: {error}"


@pytest.fixture(scope="session")
def cluster_programs(pytestconfig: pytest.Config) -> None:
    """The programs of a control plane are built."""
    _require(pytestconfig)


@pytest.fixture(scope="session")
def linkerd_programs(pytestconfig: pytest.Config) -> None:
    """Linkerd's destination controller and its client are built."""
    _require(pytestconfig)


@pytest.fixture(scope="session")
def node_programs(pytestconfig: pytest.Config) -> None:
    """The stub of the kubelet's side is built, for a cluster of the test's own."""
    _require(pytestconfig)


@pytest.fixture(scope="session")
def kubectl(pytestconfig: pytest.Config) -> Path:
    """The kubectl of the control plane's version."""
    _require(pytestconfig)
    return binaries.path_of(binaries.KUBECTL)


@pytest.fixture(scope="session")
def helm(pytestconfig: pytest.Config) -> Path:
    """The helm that renders charts."""
    _require(pytestconfig)
    return binaries.path_of(binaries.HELM)


@pytest.fixture(scope="session")
def control_plane(
    cluster_programs: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ControlPlane]:
    """One etcd and kube-apiserver for all tests, with definitions and roles applied."""
    with ControlPlane(tmp_path_factory.mktemp("control-plane")) as plane:
        _run_apart(_prepare(plane))
        yield plane


@pytest.fixture
def private_control_plane(cluster_programs: None, tmp_path: Path) -> Iterator[ControlPlane]:
    """One of the test's own, to stop and break: definitions and roles applied."""
    with ControlPlane(tmp_path / "control-plane") as plane:
        _run_apart(_prepare(plane))
        yield plane


@pytest.fixture(scope="session")
def destination(
    control_plane: ControlPlane,
    linkerd_programs: None,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[DestinationController]:
    """Linkerd's destination controller on the shared control plane."""
    _run_apart(_prepare_for_linkerd(control_plane))
    directory = tmp_path_factory.mktemp("destination")
    with DestinationController(directory, kubeconfig=control_plane.admin_kubeconfig) as controller:
        yield controller


@pytest.fixture(scope="session")
def kubelet(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Kubelet]:
    """A Node of the shared control plane, with nothing but port-forwards behind it."""
    directory = tmp_path_factory.mktemp("kubelet")
    with Kubelet(directory, certificates=control_plane.directory) as stub:
        _run_apart(_register(control_plane, stub))
        yield stub


@pytest.fixture(scope="session")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A real Prometheus, which scrapes whatever traffic a test pretends."""
    server = Prometheus(tmp_path_factory.mktemp("prometheus"))
    try:
        server.start()
    except binaries.Unavailable as error:
        _give_up(f"NO PROMETHEUS TESTS: {error}")
    yield server
    server.stop()


@pytest_asyncio.fixture
async def admin(control_plane: ControlPlane) -> AsyncIterator[Api]:
    """Requests as a user who may do all."""
    async with Api.connect(control_plane.admin_kubeconfig) as api:
        yield api


@pytest_asyncio.fixture
async def cluster_namespace(admin: Api) -> AsyncIterator[str]:
    """A namespace of the test's own; its splits and profiles go with the test."""
    name = f"t-{uuid.uuid4().hex[:10]}"
    await ensure_namespace(admin, name)
    yield name
    await empty_namespace(admin, name)


def _require(config: pytest.Config) -> None:
    reason = config.stash.get(_UNAVAILABLE, None)
    if reason is not None:
        _give_up(reason)


def _give_up(reason: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


async def _prepare(plane: ControlPlane) -> None:
    async with Api.connect(plane.admin_kubeconfig) as api:
        await prepare(api)


async def _prepare_for_linkerd(plane: ControlPlane) -> None:
    async with Api.connect(plane.admin_kubeconfig) as api:
        await prepare_for_linkerd(api)
        # The controller wants to see one EndpointSlice before it starts.
        await ensure_namespace(api, "linkerd-sample")
        await api.ensure(*guide.services("linkerd-sample"))


async def _register(plane: ControlPlane, kubelet: Kubelet) -> None:
    async with Api.connect(plane.admin_kubeconfig) as api:
        await kubelet.register(api)


def _run_apart(coroutine: Coroutine[object, object, None]) -> None:
    # A thread of its own: asyncio.run here would take the event loop from the running test.
    with ThreadPoolExecutor(1) as executor:
        executor.submit(asyncio.run, coroutine).result()
