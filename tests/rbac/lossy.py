"""A way to the API server on which the answer to one write is lost."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from aiohttp import web

from tests.cluster.kubeconfig import Kubeconfig

_HOP = {"host", "connection", "transfer-encoding", "content-length", "content-encoding"}


class Lossy:
    """Passes everything on, but hangs up instead of answering the first create of a profile."""

    def __init__(self, *, config: Kubeconfig, session: aiohttp.ClientSession) -> None:
        self._config = config
        self._session = session
        self._left = 1

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        headers = {key: value for key, value in request.headers.items() if key.lower() not in _HOP}
        async with self._session.request(
            request.method,
            self._config.server + str(request.rel_url),
            data=await request.read(),
            headers=headers,
            ssl=self._config.ssl,
        ) as answer:
            if self._left and request.method == "POST" and "/serviceprofiles" in request.path:
                self._left -= 1
                await answer.read()
                assert request.transport is not None
                request.transport.close()
                return web.Response()
            passed = web.StreamResponse(status=answer.status)
            passed.content_type = answer.content_type
            await passed.prepare(request)
            async for chunk in answer.content.iter_any():
                await passed.write(chunk)
            await passed.write_eof()
            return passed


@asynccontextmanager
async def lossy(kubeconfig: Path) -> AsyncIterator[Path]:
    """A kubeconfig that leads through it."""
    config = Kubeconfig.read(kubeconfig)
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        server = web.Server(Lossy(config=config, session=session), handler_cancellation=True)
        runner = web.ServerRunner(server, shutdown_timeout=1.0)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        try:
            yield _leading_to(f"http://{host}:{port}", kubeconfig)
        finally:
            await runner.cleanup()


def _leading_to(url: str, kubeconfig: Path) -> Path:
    written = json.loads(kubeconfig.read_text(encoding="utf-8"))
    written["clusters"][0]["cluster"] = {"server": url}
    path = kubeconfig.with_name("lossy.kubeconfig")
    path.touch(mode=0o600)
    path.write_text(json.dumps(written), encoding="utf-8")
    return path
