"""The control plane that other tests stand on."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path

import psutil
import pytest

from tests.cluster.api import (
    LEASES,
    NAMESPACES,
    SERVICEPROFILES,
    SERVICES,
    TRAFFICSPLITS,
    Api,
    ApiError,
    Object,
    Resource,
)
from tests.cluster.control_plane import ControlPlane
from tests.cluster.crds import REPOSITORY
from tests.cluster.prepare import use_permissive_splits

SECRETS = Resource("", "v1", "secrets")


def a_split(name: str, weight: object = 500) -> Object:
    return {
        "apiVersion": "split.smi-spec.io/v1alpha1",
        "kind": "TrafficSplit",
        "metadata": {"name": name},
        "spec": {"service": "web", "backends": [{"service": "web", "weight": weight}]},
    }


@pytest.mark.parametrize("version", ["v1alpha1", "v1alpha2", "v1alpha3", "v1alpha4"])
async def test_splits_are_served_in_every_version(
    admin: Api, cluster_namespace: str, version: str
) -> None:
    await admin.create(TRAFFICSPLITS, a_split("one"), cluster_namespace)
    found = await admin.get(TRAFFICSPLITS.at(version), "one", cluster_namespace)
    assert found["apiVersion"] == f"split.smi-spec.io/{version}"


@pytest.mark.parametrize("weight", [500, 0.5, 0, "500m", "1e3", "1k"])
@pytest.mark.parametrize("version", ["v1alpha1", "v1alpha2", "v1alpha3", "v1alpha4"])
async def test_the_shipped_definition_keeps_a_weight_as_written(
    admin: Api, cluster_namespace: str, version: str, weight: object
) -> None:
    resource = TRAFFICSPLITS.at(version)
    split = {**a_split("one", weight), "apiVersion": f"split.smi-spec.io/{version}"}
    created = await admin.create(resource, split, cluster_namespace)
    assert created["spec"]["backends"][0]["weight"] == weight


async def test_the_shipped_definition_refuses_a_backend_without_weight(
    admin: Api, cluster_namespace: str
) -> None:
    split = a_split("one")
    del split["spec"]["backends"][0]["weight"]
    with pytest.raises(ApiError) as refused:
        await admin.create(TRAFFICSPLITS, split, cluster_namespace)
    assert refused.value.status == 422


async def test_matches_are_kept(admin: Api, cluster_namespace: str) -> None:
    split = {**a_split("one"), "apiVersion": "split.smi-spec.io/v1alpha4"}
    matches = [{"apiGroup": "specs.smi-spec.io", "kind": "HTTPRouteGroup", "name": "ab"}]
    split["spec"]["matches"] = matches
    created = await admin.create(TRAFFICSPLITS.at("v1alpha4"), split, cluster_namespace)
    assert created["spec"]["matches"] == matches


async def test_profiles_are_linkerds_own(admin: Api, cluster_namespace: str) -> None:
    name = f"web.{cluster_namespace}.svc.cluster.local"
    profile = {
        "apiVersion": "linkerd.io/v1alpha2",
        "kind": "ServiceProfile",
        "metadata": {"name": name},
        "spec": {"dstOverrides": [{"authority": name, "weight": "lots"}]},
    }
    with pytest.raises(ApiError, match="weight"):
        await admin.create(SERVICEPROFILES, profile, cluster_namespace)


async def test_the_adaptor_may_do_what_our_roles_say_and_nothing_else(
    admin: Api, control_plane: ControlPlane, cluster_namespace: str
) -> None:
    with suppress(ApiError):  # of an adaptor that was here before
        await admin.delete(LEASES, "smi-adaptor", "linkerd-smi")
    lease: Object = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "smi-adaptor"},
        "spec": {"holderIdentity": "one"},
    }
    async with Api.connect(control_plane.adaptor_kubeconfig) as adaptor:
        await adaptor.list(TRAFFICSPLITS)
        await adaptor.list(SERVICEPROFILES)
        await adaptor.list(SERVICES)
        created = await adaptor.create(LEASES, lease, "linkerd-smi")
        await adaptor.replace(LEASES, created, "linkerd-smi")
        for refused in (
            adaptor.create(TRAFFICSPLITS, a_split("mine"), cluster_namespace),
            adaptor.list(SECRETS),
            adaptor.list(NAMESPACES),
            adaptor.list(LEASES, "linkerd-smi"),
            adaptor.create(LEASES, lease, cluster_namespace),
        ):
            with pytest.raises(ApiError) as error:
                await refused
            assert error.value.status == 403


async def test_a_stranger_may_do_nothing_and_a_wrong_token_is_nobody(
    control_plane: ControlPlane,
) -> None:
    async with Api.connect(control_plane.stranger_kubeconfig) as stranger:
        with pytest.raises(ApiError) as forbidden:
            await stranger.list(SERVICEPROFILES)
        assert forbidden.value.status == 403
    async with Api.connect(control_plane.admin_kubeconfig, token="wrong") as nobody:
        with pytest.raises(ApiError) as unauthorized:
            await nobody.list(SERVICEPROFILES)
        assert unauthorized.value.status == 401


async def test_tokens_of_service_accounts_are_issued_and_reviewed(
    admin: Api, control_plane: ControlPlane, cluster_namespace: str
) -> None:
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "reader"}}
    accounts = Resource("", "v1", "serviceaccounts")
    await admin.create(accounts, account, cluster_namespace)
    _, issued = await admin.request(
        "POST",
        accounts.path(cluster_namespace, "reader") + "/token",
        json_body={"spec": {"expirationSeconds": 600}},
    )
    review = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "spec": {"token": issued["status"]["token"]},
    }
    async with Api.connect(control_plane.adaptor_kubeconfig) as adaptor:
        reviewed = await adaptor.create(
            Resource("authentication.k8s.io", "v1", "tokenreviews", namespaced=False), review
        )
    user = f"system:serviceaccount:{cluster_namespace}:reader"
    assert reviewed["status"]["user"]["username"] == user


async def test_the_permissive_definition_lets_an_invalid_split_through(
    private_control_plane: ControlPlane,
) -> None:
    async with Api.connect(private_control_plane.admin_kubeconfig) as api:
        await use_permissive_splits(api)
        split = {**a_split("odd"), "spec": {"service": 7, "backends": "none"}}
        created = await api.create(TRAFFICSPLITS, split, "default")
        assert created["spec"] == {"service": 7, "backends": "none"}


async def test_a_restarted_apiserver_has_the_same_address_and_data(
    private_control_plane: ControlPlane,
) -> None:
    plane = private_control_plane
    async with Api.connect(plane.admin_kubeconfig) as api:
        before = await api.create(TRAFFICSPLITS, a_split("stays"), "default")
        old_pid = plane.pids["kube-apiserver"]
        await asyncio.to_thread(plane.restart_apiserver)
        assert plane.pids["kube-apiserver"] != old_pid
        assert await api.get(TRAFFICSPLITS, "stays", "default") == before


@pytest.mark.usefixtures("cluster_programs")
async def test_a_stopped_control_plane_starts_again_with_its_data(
    tmp_path: Path,
) -> None:
    plane = ControlPlane(tmp_path / "durable", fsync=True, data_dir=tmp_path / "elsewhere")
    accounts = Resource("", "v1", "serviceaccounts")
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "stays"}}
    try:
        await asyncio.to_thread(plane.start)
        async with Api.connect(plane.admin_kubeconfig) as api:
            before = await api.create(accounts, account, "default")
        await asyncio.to_thread(plane.stop)
        assert plane.pids == {}
        await asyncio.to_thread(plane.start)
        async with Api.connect(plane.admin_kubeconfig) as api:
            assert await api.get(accounts, "stays", "default") == before
    finally:
        await asyncio.to_thread(plane.stop)


async def test_history_that_is_compacted_away_is_410_for_lists_and_watches(
    private_control_plane: ControlPlane,
) -> None:
    plane = private_control_plane
    async with Api.connect(plane.admin_kubeconfig) as api:
        for name in ("a", "b"):
            await api.create(TRAFFICSPLITS, a_split(name), "default")
        first = await api.list(TRAFFICSPLITS, "default", limit="1")
        await api.create(TRAFFICSPLITS, a_split("c"), "default")
        await asyncio.to_thread(plane.forget_history)
        with pytest.raises(ApiError) as gone:
            await api.list(
                TRAFFICSPLITS, "default", limit="1", **{"continue": first["metadata"]["continue"]}
            )
        assert gone.value.status == 410
        version = first["metadata"]["resourceVersion"]
        async with aclosing(api.watch(TRAFFICSPLITS, resource_version=version)) as events:
            event = await anext(events)
        assert event["type"] == "ERROR"
        assert event["object"]["code"] == 410


def has_ended(process: psutil.Process) -> bool:
    """Gone, or waiting only for init to notice."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def await_end(processes: list[psutil.Process]) -> None:
    """Returns when all have ended, fails after 10 s."""
    deadline = time.monotonic() + 45.0
    while not all(has_ended(process) for process in processes):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@asynccontextmanager
async def in_the_foreground(directory: Path) -> AsyncIterator[tuple[Process, list[psutil.Process]]]:
    """The command of `make cluster`, ready, and its children."""
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "tests.cluster", str(directory)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60.0):
            while await process.stdout.readline() != b"ready\n":
                assert process.returncode is None
        yield process, psutil.Process(process.pid).children(recursive=True)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.usefixtures("cluster_programs")
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
async def test_the_foreground_command_says_ready_and_ends_cleanly(
    tmp_path: Path, ending: signal.Signals
) -> None:
    async with in_the_foreground(tmp_path / "plane") as (process, children):
        names = {child.name() for child in children}
        assert names >= {"etcd", "kube-apiserver", "kube-controller-manager"}
        process.send_signal(ending)
        async with asyncio.timeout(30.0):
            assert await process.wait() == 0
    assert all(has_ended(child) for child in children)


@pytest.mark.usefixtures("cluster_programs")
async def test_the_foreground_command_ends_when_a_part_of_it_does(tmp_path: Path) -> None:
    async with in_the_foreground(tmp_path / "plane") as (process, children):
        next(child for child in children if child.name() == "etcd").kill()
        async with asyncio.timeout(30.0):
            assert await process.wait() == 1
    assert all(has_ended(child) for child in children)


@pytest.mark.usefixtures("cluster_programs")
async def test_the_foreground_command_finalises_namespaces(tmp_path: Path) -> None:
    brief = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "brief"}}
    async with (
        in_the_foreground(tmp_path / "plane"),
        Api.connect(tmp_path / "plane" / "kubeconfig") as api,
    ):
        await api.create(NAMESPACES, brief)
        await api.create(TRAFFICSPLITS, a_split("goes"), "brief")
        await api.delete(NAMESPACES, "brief")
        await api.wait_for(NAMESPACES, "brief", None, lambda found: found is None, timeout=30.0)


@pytest.mark.usefixtures("cluster_programs")
async def test_nothing_survives_when_the_tests_are_killed(tmp_path: Path) -> None:
    async with in_the_foreground(tmp_path / "plane") as (process, children):
        process.kill()
        await process.wait()
        await asyncio.to_thread(await_end, children)
