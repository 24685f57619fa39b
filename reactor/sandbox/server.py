"""The sandbox as one object: a cluster, served over TLS on loopback."""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from reactor.sandbox import certificates, kubeconfig
from reactor.sandbox.calls import Call
from reactor.sandbox.cluster import Cluster
from reactor.sandbox.documents import Document
from reactor.sandbox.faults import Faults
from reactor.sandbox.identity import ADMINS, Tokens
from reactor.sandbox.service import LARGEST_BODY, Service

ADMIN = "sandbox-admin"
_LOOPBACK = "127.0.0.1"


class Sandbox:
    """An in-process Kubernetes API server.

    `cluster` is the state, with direct access; `faults` the fault script; `requests` the last
    50,000 requests, oldest first; `tokens` who may speak. It can be stopped and started again on
    the same port with all its state, as an API server that restarts.
    """

    def __init__(
        self,
        *,
        definitions: Iterable[Document] | None = None,
        clock: Callable[[], datetime] | None = None,
        bookmark_seconds: float = 60.0,
        history: int = 20_000,
    ) -> None:
        self.cluster = Cluster(definitions=definitions, clock=clock, history=history)
        self.tokens = Tokens()
        self.requests: deque[Call] = deque(maxlen=50_000)
        self.faults = Faults(
            store=self.cluster.storage, registry=self.cluster.registry, hub=self.cluster.hub
        )
        self._service = Service(
            cluster=self.cluster,
            tokens=self.tokens,
            faults=self.faults,
            requests=self.requests,
            clock=clock,
            bookmark_seconds=bookmark_seconds,
        )
        self._certificates: certificates.Certificates | None = None
        self._users: dict[str, str] = {ADMIN: self.tokens.issue(ADMIN, [ADMINS])}
        self._port = 0
        self._listener: asyncio.Server | None = None
        self._web: web.Server | None = None
        self._lifecycle: asyncio.Task[None] | None = None

    async def start(self, port: int = 0) -> None:
        """Listen on 127.0.0.1. Port 0: any free one, or the one it had before."""
        if self._certificates is None:
            self._certificates = await asyncio.to_thread(certificates.issue)
        loop = asyncio.get_running_loop()
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((_LOOPBACK, port or self._port))
        except OSError:
            listener.close()
            raise
        self._port = listener.getsockname()[1]
        self._web = web.Server(
            self._service.handle,
            request_factory=_request,
            handler_cancellation=True,
            access_log=None,
            keepalive_timeout=75.0,
        )
        self._listener = await loop.create_server(
            self._web, sock=listener, ssl=self._certificates.server_context(), backlog=1024
        )
        self._lifecycle = loop.create_task(self.cluster.lifecycle.run(), name="sandbox lifecycle")

    async def stop(self) -> None:
        """Tear every connection down and listen no more. The state stays."""
        if self._listener is not None:
            self._listener.close()
        if self._web is not None:
            for connection in list(self._web.connections):
                if connection.transport is not None:
                    connection.transport.abort()
            await self._web.shutdown(timeout=1.0)
        if self._listener is not None:
            await self._listener.wait_closed()
        if self._lifecycle is not None:
            self._lifecycle.cancel()
            await asyncio.gather(self._lifecycle, return_exceptions=True)
        self._listener = self._web = self._lifecycle = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    @property
    def port(self) -> int:
        return self._port

    @property
    def url(self) -> str:
        return f"https://{_LOOPBACK}:{self._port}"

    @property
    def authority(self) -> bytes:
        """The certificate authority, PEM. Known once started."""
        if self._certificates is None:
            raise RuntimeError("the sandbox has no certificates before it is started")
        return self._certificates.authority

    @property
    def token(self) -> str:
        """The token of the cluster's administrator."""
        return self._users[ADMIN]

    def add_user(self, name: str, groups: Iterable[str] = ()) -> str:
        """A user with no rights but those that roles bind to it; its token."""
        if name not in self._users:
            self._users[name] = self.tokens.issue(name, groups)
        return self._users[name]

    def kubeconfig(self, user: str = ADMIN, namespace: str = "default") -> Document:
        """A kubeconfig for a user, who is added if unknown."""
        return kubeconfig.document(
            url=self.url,
            authority=self.authority,
            user=user,
            token=self.add_user(user),
            namespace=namespace,
        )

    def write_kubeconfig(self, path: Path, user: str = ADMIN, namespace: str = "default") -> Path:
        """Write it to `path`, readable by the owner alone."""
        return kubeconfig.write(path, self.kubeconfig(user, namespace))

    def asked(self, verb: str = "", resource: str = "", **fields: str | int) -> list[Call]:
        """The requests so far that match, oldest first."""
        wanted = {"verb": verb, "resource": resource, **fields}
        return [
            call
            for call in self.requests
            if all(value == "" or getattr(call, key) == value for key, value in wanted.items())
        ]


def _request(*arguments: object) -> web.BaseRequest:
    message, payload, protocol, writer, task = arguments
    return web.BaseRequest(
        message,  # type: ignore[arg-type]  # aiohttp hands its own types through this factory
        payload,  # type: ignore[arg-type]  # likewise
        protocol,  # type: ignore[arg-type]  # likewise
        writer,  # type: ignore[arg-type]  # likewise
        task,  # type: ignore[arg-type]  # likewise
        asyncio.get_running_loop(),
        client_max_size=LARGEST_BODY,
    )
