"""Proxies: from the kubeconfig, else from the environment as Go reads it."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import web

from reactor.errors import Retryable
from reactor.kube.connection import Connection

from .loopback import kubeconfig, serving


async def answer(request: web.Request) -> web.Response:
    return web.json_response({"asked": str(request.url)})


async def test_a_proxy_of_the_kubeconfig_is_used(tmp_path: Path) -> None:
    async with serving(answer) as proxy:
        path = kubeconfig(tmp_path, "http://cluster.invalid", cluster={"proxy-url": proxy.url})
        async with Connection.from_kubeconfig(path, environ={}) as connection:
            answered = await connection.request("GET", "/version")
    assert b"http://cluster.invalid/version" in answered.body


async def test_a_proxy_of_the_environment_is_used(tmp_path: Path) -> None:
    async with serving(answer) as proxy:
        path = kubeconfig(tmp_path, "http://cluster.invalid")
        environ = {"HTTP_PROXY": proxy.url}
        async with Connection.from_kubeconfig(path, environ=environ) as connection:
            answered = await connection.request("GET", "/version")
    assert b"http://cluster.invalid/version" in answered.body


@pytest.mark.parametrize("exempt", ["*", "cluster.invalid", ".invalid", "x, cluster.invalid"])
async def test_what_no_proxy_names_is_asked_directly(tmp_path: Path, exempt: str) -> None:
    async with serving(answer) as proxy:
        path = kubeconfig(tmp_path, "http://cluster.invalid")
        environ = {"http_proxy": proxy.url, "NO_PROXY": exempt}
        async with Connection.from_kubeconfig(path, environ=environ) as connection:
            with pytest.raises(Retryable):
                await connection.request("GET", "/version")
    assert proxy.requests == []


@pytest.mark.parametrize("environ", [{"NO_PROXY": "127.0.0.0/8"}, {}])
async def test_the_loopback_is_asked_directly(tmp_path: Path, environ: dict[str, str]) -> None:
    async with serving(answer) as proxy, serving(answer) as server:
        path = kubeconfig(tmp_path, server.url)
        environ = {"http_proxy": proxy.url, **environ}
        async with Connection.from_kubeconfig(path, environ=environ) as connection:
            await connection.request("GET", "/version")
    assert proxy.requests == []
    assert len(server.requests) == 1
