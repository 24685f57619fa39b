"""A tiny HTTP server on the loopback whose answers a test writes by hand."""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import yaml
from aiohttp import web

from .certificate import Pair

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Loopback:
    """Where it listens, and what came in."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.requests: list[web.Request] = []


@asynccontextmanager
async def serving(
    handler: Handler, *, pair: Pair | None = None, clients: bytes | None = None
) -> AsyncIterator[Loopback]:
    """Serves on a free port; with TLS when given a pair, asking for a certificate of clients."""
    loopback = Loopback("")

    async def handle(request: web.Request) -> web.StreamResponse:
        loopback.requests.append(request)
        return await handler(request)

    app = web.Application(client_max_size=16 * 2**20)
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(
            runner, "127.0.0.1", 0, ssl_context=_context(pair, clients) if pair else None
        )
        await site.start()
        assert site._server is not None
        sockets: Any = site._server.sockets  # type: ignore[attr-defined]  # asyncio.Server has it
        port = sockets[0].getsockname()[1]
        loopback.url = f"{'https' if pair else 'http'}://127.0.0.1:{port}"
        yield loopback
    finally:
        await runner.cleanup()


def kubeconfig(
    directory: Path,
    server: str,
    *,
    cluster: dict[str, Any] | None = None,
    user: dict[str, Any] | None = None,
    name: str = "config",
) -> str:
    """Writes a kubeconfig with one context; returns its path."""
    path = directory / name
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "there",
        "clusters": [{"name": "c", "cluster": {"server": server, **(cluster or {})}}],
        "users": [{"name": "u", "user": user or {}}],
        "contexts": [{"name": "there", "context": {"cluster": "c", "user": "u"}}],
    }
    path.write_text(yaml.safe_dump(document))
    return str(path)


def _context(pair: Pair, clients: bytes | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as directory:
        chain, key = Path(directory, "chain"), Path(directory, "key")
        chain.write_bytes(pair.certificate)
        key.write_bytes(pair.key)
        context.load_cert_chain(chain, key)
    if clients:
        context.load_verify_locations(cadata=clients.decode())
        context.verify_mode = ssl.CERT_REQUIRED
    return context
