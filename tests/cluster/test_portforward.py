"""Port-forwards through the real API server, to pods that a stub of the kubelet's side pretends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from reactor.errors import Retryable, Terminal
from reactor.kube.connection import Connection
from reactor.kube.portforward import forwarded
from tests.cluster.api import Api
from tests.cluster.control_plane import STRANGER, ControlPlane
from tests.cluster.kubelet import Kubelet
from tests.cluster.ports import free_port
from tests.cluster.resources import PODS, Resource
from tests.unit.kube.loopback import serving

ROLES = Resource("rbac.authorization.k8s.io", "v1", "roles")
LARGE = b"0123456789abcdef" * 2**16  # 1 MiB, many messages either way


async def echo(request: web.Request) -> web.Response:
    return web.Response(body=request.path.encode() + b" " + await request.read())


def connect(kubeconfig: Path) -> Connection:
    return Connection.from_kubeconfig(str(kubeconfig), environ={})


@pytest_asyncio.fixture
async def connection(control_plane: ControlPlane) -> AsyncIterator[Connection]:
    async with connect(control_plane.admin_kubeconfig) as opened:
        yield opened


@asynccontextmanager
async def pod(
    admin: Api, kubelet: Kubelet, namespace: str, *, port: int, there: int, name: str = "web"
) -> AsyncIterator[str]:
    await kubelet.run(admin, namespace, name, ports={port: there})
    try:
        yield name
    finally:
        kubelet.forget(namespace, name)
        await admin.delete(PODS, name, namespace, options={"gracePeriodSeconds": 0})


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


async def test_a_pods_port_is_reached_through_the_api_server(
    admin: Api, kubelet: Kubelet, cluster_namespace: str, connection: Connection
) -> None:
    async with (
        serving(echo) as server,
        pod(admin, kubelet, cluster_namespace, port=9990, there=port_of(server.url)) as name,
        forwarded(connection, cluster_namespace, name, 9990) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client,
    ):
        answers = await asyncio.gather(
            *(client.post(f"/{number}", data=LARGE) for number in range(5))
        )
        bodies = [await answer.read() for answer in answers]
    assert bodies == [b"/%d " % number + LARGE for number in range(5)]


async def test_connections_end_with_the_local_one_and_with_the_forwarding(
    admin: Api, kubelet: Kubelet, cluster_namespace: str, connection: Connection
) -> None:
    opened: asyncio.Queue[asyncio.StreamReader] = asyncio.Queue()
    writers = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        opened.put_nowait(reader)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    there = server.sockets[0].getsockname()[1]
    async with server, pod(admin, kubelet, cluster_namespace, port=1, there=there) as name:
        async with forwarded(connection, cluster_namespace, name, 1) as port, asyncio.timeout(45):
            await opened.get()  # opened beforehand, to see that the pod is there
            _, leaves = await asyncio.open_connection("127.0.0.1", port)
            reader, stays = await asyncio.open_connection("127.0.0.1", port)
            stays.write(b"hello\n")
            second = await opened.get()
            assert await second.readline() == b"hello\n"
            leaves.close()
        async with asyncio.timeout(45):
            assert await second.read() == b""
            assert await reader.read() == b""
        for writer in (stays, *writers):
            writer.close()


async def test_a_port_that_nobody_listens_on_is_one_clear_error(
    admin: Api, kubelet: Kubelet, cluster_namespace: str, connection: Connection
) -> None:
    async with pod(admin, kubelet, cluster_namespace, port=9990, there=free_port()) as name:
        with pytest.raises(Retryable) as caught:
            await read(connection, cluster_namespace, name, 9990)
    said = str(caught.value)
    assert said.startswith(f"can't reach port 9990 of pod {cluster_namespace}/{name}: ")
    assert said.endswith("connection refused")


async def test_a_pod_that_is_gone_is_one_clear_error(
    cluster_namespace: str, connection: Connection
) -> None:
    with pytest.raises(Terminal, match='404 pods "gone" not found'):
        await read(connection, cluster_namespace, "gone", 9990)


async def test_a_pod_that_its_kubelet_does_not_know_is_one_clear_error(
    admin: Api, kubelet: Kubelet, cluster_namespace: str, connection: Connection
) -> None:
    async with pod(admin, kubelet, cluster_namespace, port=1, there=free_port()) as name:
        kubelet.forget(cluster_namespace, name)
        with pytest.raises(Terminal, match="404 pod does not exist"):
            await read(connection, cluster_namespace, name, 1)


async def test_a_pod_whose_kubelet_is_out_of_reach_is_one_clear_error(
    admin: Api,
    control_plane: ControlPlane,
    cluster_namespace: str,
    connection: Connection,
    tmp_path: Path,
) -> None:
    absent = Kubelet(tmp_path, certificates=control_plane.directory, node="absent")
    await absent.register(admin)
    async with pod(admin, absent, cluster_namespace, port=1, there=free_port()) as name:
        with pytest.raises(Retryable, match=r"error dialing backend: .*connection refused"):
            await read(connection, cluster_namespace, name, 1)


async def test_it_takes_get_and_create_of_the_subresource(
    admin: Api, kubelet: Kubelet, cluster_namespace: str, control_plane: ControlPlane
) -> None:
    await admin.ensure(*binding(cluster_namespace))
    async with (
        serving(echo) as server,
        pod(admin, kubelet, cluster_namespace, port=1, there=port_of(server.url)) as name,
        connect(control_plane.stranger_kubeconfig) as stranger,
    ):
        for verbs in (["get"], ["create"], ["get", "create"]):
            rules = [{"apiGroups": [""], "resources": ["pods/portforward"], "verbs": verbs}]
            await admin.patch(ROLES, "forwards", {"rules": rules}, cluster_namespace)
            if len(verbs) == 2:
                assert await granted(stranger, cluster_namespace, name) == b"/ "
            else:
                with pytest.raises(Terminal, match="it takes get and create of pods/portforward"):
                    await read(stranger, cluster_namespace, name, 1)


async def test_kubectl_reaches_the_same_pod_by_its_own_protocol(
    admin: Api, kubelet: Kubelet, cluster_namespace: str, control_plane: ControlPlane, kubectl: Path
) -> None:
    """The stub answers SPDY as runtimes do: what is tested here against it, they would take."""
    async with (
        serving(echo) as server,
        pod(admin, kubelet, cluster_namespace, port=9990, there=port_of(server.url)) as name,
    ):
        forwarding = await asyncio.create_subprocess_exec(
            *(kubectl, "--kubeconfig", control_plane.admin_kubeconfig, "-n", cluster_namespace),
            *("port-forward", f"pod/{name}", ":9990", "--address=127.0.0.1"),
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            assert forwarding.stdout is not None
            async with asyncio.timeout(45), aiohttp.ClientSession() as client:
                line = (await forwarding.stdout.readline()).decode()
                here = line.removeprefix("Forwarding from ").partition(" ")[0]
                async with client.get(f"http://{here}/web") as answer:
                    assert await answer.read() == b"/web "
        finally:
            forwarding.terminate()
            await forwarding.communicate()


async def read(connection: Connection, namespace: str, pod: str, port: int) -> bytes:
    async with (
        forwarded(connection, namespace, pod, port) as here,
        aiohttp.ClientSession() as client,
        client.get(f"http://127.0.0.1:{here}/") as answer,
    ):
        return await answer.read()


async def granted(connection: Connection, namespace: str, name: str) -> bytes:
    """As `read`, once the API server has heard of the role that allows it."""
    async with asyncio.timeout(45):
        while True:
            with contextlib.suppress(Terminal):
                return await read(connection, namespace, name, 1)


def binding(namespace: str) -> list[dict[str, Any]]:
    metadata = {"name": "forwards", "namespace": namespace}
    kind = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": metadata}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "forwards"}
    user = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": STRANGER}
    return [
        {**kind, "kind": "Role", "rules": []},
        {**kind, "kind": "RoleBinding", "roleRef": role, "subjects": [user]},
    ]
