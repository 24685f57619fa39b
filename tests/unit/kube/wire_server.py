"""The model server over HTTP, with what only a wire can do wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from reactor.errors import Expired, ReactorError, Retryable, Terminal

from .loopback import Loopback, serving
from .model_server import ModelServer


class WireServer(ModelServer):
    """A model server that answers HTTP; `token` is the only one that it accepts, if set."""

    def __init__(self) -> None:
        super().__init__()
        self.token: str | None = None
        self.queries: list[dict[str, str]] = []
        self.silent = False

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if self.token and request.headers.get("Authorization") != f"Bearer {self.token}":
            return _refusal(401, "Unauthorized")
        query = dict(request.query)
        self.queries.append(query)
        try:
            if "watch" in query:
                async with self.stream(request.path, query=query) as lines:
                    return await self._watch(request, lines)
            answer = await self.request("GET", request.path, query=query)
        except ReactorError as error:
            return _failure(error)
        return web.Response(body=answer.body, content_type="application/json")

    async def _watch(self, request: web.Request, lines: AsyncIterator[bytes]) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        assert request.transport is not None
        try:
            async for line in lines:
                half, _, cut = line.partition(b"<CUT>")
                await response.write(half if cut else line + b"\n")
                if cut:
                    request.transport.close()
                    break
        except ReactorError:
            request.transport.abort()
        except OSError:
            pass  # the client left
        return response

    def cut_amid(self, line: bytes) -> None:
        """Sends half of a line, and hangs up."""
        for watcher in self.watchers:
            watcher.send(line[: len(line) // 2] + b"<CUT>.")
        self.watchers.clear()


@asynccontextmanager
async def wired() -> AsyncIterator[tuple[WireServer, Loopback]]:
    """A wire server that listens; its open watches end with it."""
    server = WireServer()
    async with serving(server.handle) as loopback:
        try:
            yield server, loopback
        finally:
            server.end_watches(None)
            await asyncio.sleep(0)


def _failure(error: ReactorError) -> web.Response:
    if isinstance(error, Expired):
        return _refusal(410, "Expired")
    if isinstance(error, Terminal):
        return _refusal(error.status, error.reason)
    assert isinstance(error, Retryable)
    response = _refusal(error.status or 503, "later")
    if error.after is not None:
        response.headers["Retry-After"] = str(int(error.after))
    return response


def _refusal(code: int, reason: str) -> web.Response:
    status = {"kind": "Status", "code": code, "reason": reason, "message": f"{code} {reason}"}
    return web.json_response(status, status=code)
