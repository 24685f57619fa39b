"""A server that lets one identity in, and a connection to it whose clock the test moves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aiohttp import web

from reactor.kube.connection import Connection
from reactor.kube.kubeconfig import find

from .loopback import Loopback, kubeconfig

NOW = 1_800_000_000.0  # 2027-01-15T08:00:00Z


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


class Gate:
    """A server that accepts one Authorization header."""

    def __init__(self, accepted: str | None = None) -> None:
        self.accepted = accepted
        self.came: list[str | None] = []

    async def __call__(self, request: web.Request) -> web.Response:
        given = request.headers.get("Authorization")
        self.came.append(given)
        return web.json_response({}, status=200 if self.accepted in (None, given) else 401)


def connection(
    directory: Path, server: Loopback, user: dict[str, Any], clock: Clock, **environ: str
) -> Connection:
    path = kubeconfig(directory, server.url, user=user)
    target = find(path, context=None, environ=environ, service_account=directory)
    return Connection(target=target, environ=environ, clock=clock)
