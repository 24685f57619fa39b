"""Objects of any kind over the wire: chunks are joined, absence is an answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from reactor.errors import Terminal
from reactor.kube import objects
from reactor.kube.connection import Connection
from tests.unit.kube.loopback import kubeconfig, serving


async def paged(request: web.Request) -> web.Response:
    first = "continue" not in request.query
    return web.json_response(
        {
            "apiVersion": "v1",
            "kind": "PodList",
            "metadata": {"continue": "next"} if first else {},
            "items": [{"metadata": {"name": "a" if first else "b"}}],
        }
    )


def refusing(code: int) -> Any:
    async def answer(request: web.Request) -> web.Response:
        status = {"kind": "Status", "message": "no such thing", "reason": "NotFound"}
        return web.json_response(status, status=code)

    return answer


async def test_a_list_comes_whole_though_the_server_gives_it_in_chunks(tmp_path: Path) -> None:
    async with (
        serving(paged) as server,
        Connection.from_kubeconfig(kubeconfig(tmp_path, server.url), environ={}) as connection,
    ):
        query = {"labelSelector": "a=b"}
        found = [pod async for pod in objects.listed(connection, "/api/v1/pods", query=query)]
    assert [pod["metadata"]["name"] for pod in found] == ["a", "b"]
    assert {(pod["apiVersion"], pod["kind"]) for pod in found} == {("v1", "Pod")}
    assert [request.query["labelSelector"] for request in server.requests] == ["a=b", "a=b"]


async def test_what_is_not_there_is_none_and_an_empty_list(tmp_path: Path) -> None:
    async with (
        serving(refusing(404)) as server,
        Connection.from_kubeconfig(kubeconfig(tmp_path, server.url), environ={}) as connection,
    ):
        assert await objects.get(connection, "/api/v1/namespaces/x") is None
        assert [item async for item in objects.listed(connection, "/apis/x/v1/ys")] == []


async def test_a_refusal_is_an_error(tmp_path: Path) -> None:
    async with (
        serving(refusing(403)) as server,
        Connection.from_kubeconfig(kubeconfig(tmp_path, server.url), environ={}) as connection,
    ):
        with pytest.raises(Terminal, match="403 no such thing"):
            await objects.get(connection, "/api/v1/namespaces/x")


async def test_a_document_is_posted_as_json(tmp_path: Path) -> None:
    async def echo(request: web.Request) -> web.Response:
        return web.json_response({"got": json.loads(await request.read())}, status=201)

    async with (
        serving(echo) as server,
        Connection.from_kubeconfig(kubeconfig(tmp_path, server.url), environ={}) as connection,
    ):
        answer = await objects.create(connection, "/apis/reviews", {"spec": {"verb": "get"}})
    assert answer == {"got": {"spec": {"verb": "get"}}}


async def test_a_command_line_may_impersonate_over_what_the_kubeconfig_says(
    tmp_path: Path,
) -> None:
    user = {"token": "t", "as": "someone", "as-groups": ["old"], "as-uid": "1"}
    async with (
        serving(paged) as server,
        Connection.from_kubeconfig(
            kubeconfig(tmp_path, server.url, user=user),
            environ={},
            as_user="alice",
            as_groups=("ops",),
            agent="linkerd-smi",
        ) as connection,
    ):
        await objects.get(connection, "/x")
    (request,) = server.requests
    assert request.headers["Impersonate-User"] == "alice"
    assert request.headers.getall("Impersonate-Group") == ["ops"]
    assert "Impersonate-Uid" not in request.headers
    assert request.headers["User-Agent"].startswith("linkerd-smi/")
