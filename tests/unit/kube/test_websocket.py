"""Websockets: credentials, TLS, proxy and errors are those of any request."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path

import pytest
from aiohttp import web

from reactor.errors import Retryable, Terminal
from reactor.kube.connection import Connection

from .certificate import self_signed
from .loopback import kubeconfig, serving


async def shout(request: web.Request) -> web.StreamResponse:
    socket = web.WebSocketResponse(protocols=["loud"])
    await socket.prepare(request)
    async for message in socket:
        await socket.send_bytes(message.data.upper())
    return socket


async def talk(connection: Connection) -> tuple[str | None, bytes]:
    socket = await connection.websocket("/talk", protocol="loud", query={"ports": "1"})
    try:
        await socket.send_bytes(b"hello")
        return socket.protocol, await socket.receive_bytes()
    finally:
        await socket.close()


async def test_a_websocket_is_opened_as_a_request_is_sent(tmp_path: Path) -> None:
    seen = []
    pair = self_signed("kubernetes.default")
    cluster = {
        "certificate-authority-data": base64.b64encode(pair.certificate).decode(),
        "tls-server-name": "kubernetes.default",
    }
    async with serving(shout, pair=pair) as server:
        connection = Connection.from_kubeconfig(
            kubeconfig(tmp_path, server.url, cluster=cluster, user={"token": "secret"}),
            environ={},
            as_user="jane",
            observed=lambda verb, resource, code, seconds: seen.append((verb, code)),
        )
        async with connection:
            assert await talk(connection) == ("loud", b"HELLO")
    (request,) = server.requests
    assert request.path_qs == "/talk?ports=1"
    assert request.headers["Authorization"] == "Bearer secret"
    assert request.headers["Impersonate-User"] == "jane"
    assert seen == [("connect", "101")]


async def test_a_proxy_leads_to_it(tmp_path: Path) -> None:
    async with serving(shout) as proxy:
        path = kubeconfig(tmp_path, "http://cluster.invalid", cluster={"proxy-url": proxy.url})
        async with Connection.from_kubeconfig(path, environ={}) as connection:
            assert await talk(connection) == ("loud", b"HELLO")


async def test_a_401_reads_the_token_file_and_tries_once_more(tmp_path: Path) -> None:
    async def once_renewed(request: web.Request) -> web.StreamResponse:
        if request.headers["Authorization"] != "Bearer two":
            (tmp_path / "token").write_text("two")
            return web.Response(status=401)
        return await shout(request)

    (tmp_path / "token").write_text("one")
    async with serving(once_renewed) as server:
        path = kubeconfig(tmp_path, server.url, user={"tokenFile": "token"})
        async with Connection.from_kubeconfig(path, environ={}) as connection:
            assert await talk(connection) == ("loud", b"HELLO")


async def test_a_401_that_stays_ends_it(tmp_path: Path) -> None:
    async def refuse(request: web.Request) -> web.Response:
        (tmp_path / "token").write_text(f"token-{len(server.requests)}")
        return web.json_response({"message": "who are you"}, status=401)

    (tmp_path / "token").write_text("one")
    async with serving(refuse) as server:
        path = kubeconfig(tmp_path, server.url, user={"tokenFile": "token"})
        async with Connection.from_kubeconfig(path, environ={}) as connection:
            with pytest.raises(Terminal, match="GET /talk: 401 who are you"):
                await talk(connection)
    assert len(server.requests) == 2


@pytest.mark.parametrize(("status", "kind"), [(404, Terminal), (500, Retryable)])
async def test_a_refusal_says_what_the_server_said(
    tmp_path: Path, status: int, kind: type[Exception]
) -> None:
    async def refuse(request: web.Request) -> web.Response:
        return web.json_response({"message": "no such pod"}, status=status)

    async with serving(refuse) as server:
        path = kubeconfig(tmp_path, server.url)
        async with Connection.from_kubeconfig(path, environ={}) as connection:
            with pytest.raises(kind, match=f"GET /talk: {status} no such pod"):
                await talk(connection)


async def test_a_server_that_does_not_answer_in_time_may_be_asked_again(tmp_path: Path) -> None:
    release = asyncio.Event()

    async def hang(request: web.Request) -> web.Response:
        await release.wait()
        return web.Response()

    async with serving(hang) as server:
        path = kubeconfig(tmp_path, server.url)
        async with Connection.from_kubeconfig(path, environ={}) as connection:
            with pytest.raises(Retryable, match="timed out"):
                await connection.websocket("/talk", protocol="loud", timeout=0.05)
        release.set()
