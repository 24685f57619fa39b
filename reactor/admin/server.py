"""The admin port: HTTP beside the controller, in its event loop."""

from __future__ import annotations

import asyncio

from prometheus_client import CollectorRegistry
from uvicorn.config import Config
from uvicorn.server import ServerState

from reactor.admin import app
from reactor.admin.access import Reviewer
from reactor.admin.address import bind
from reactor.admin.entries import Log
from reactor.admin.limits import Limits
from reactor.admin.pages.source import Source
from reactor.admin.probes import Readiness
from reactor.admin.protocol import Connection
from reactor.admin.splits import Splits
from reactor.audit.feed import Feed

_GRACE = 0.5


class Server:
    """Answers on ``address`` from `start` to `stop`.

    uvicorn's own server exits the process on a used port, takes the signals and waits for open
    streams; so only its protocol is used, and the socket, the connections and the tasks that
    answer them are owned here. ``reviewer`` None asks for no token.
    """

    def __init__(
        self,
        *,
        address: str,
        readiness: Readiness,
        registry: CollectorRegistry,
        log: Log,
        feed: Feed,
        splits: Splits,
        reviewer: Reviewer | None,
        limits: Limits | None = None,
        source: Source | None = None,
    ) -> None:
        self._address = address
        self._limits = limits or Limits()
        self._app = app.build(
            readiness=readiness,
            registry=registry,
            log=log,
            feed=feed,
            splits=splits,
            reviewer=reviewer,
            limits=self._limits,
            source=source,
        )
        self._state = ServerState()
        self._server: asyncio.Server | None = None
        self._port = 0

    @property
    def port(self) -> int:
        """The port that is listened on, after `start`."""
        return self._port

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._state.connections)

    async def start(self) -> None:
        """Listen; Fatal when the address can't be had."""
        config = Config(
            self._app,
            loop="none",
            http=Connection,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            # Each failure is logged once, by the guard.
            log_level="critical",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=self._limits.idle_seconds,
            h11_max_incomplete_event_size=self._limits.head,
        )
        config.load()
        sock = bind(self._address)
        self._port = sock.getsockname()[1]
        self._server = await asyncio.get_running_loop().create_server(
            lambda: Connection(
                config=config, server_state=self._state, app_state={}, limits=self._limits
            ),
            sock=sock,
        )

    async def stop(self) -> None:
        """Close within a second: answers in flight get half of it, then all connections end."""
        if self._server is None:
            return
        server, self._server = self._server, None
        server.close()
        for connection in self._connections():
            if connection.busy:
                connection.shutdown()
            else:
                connection.transport.abort()
        if tasks := list(self._state.tasks):
            await asyncio.wait(tasks, timeout=_GRACE)
        for connection in self._connections():
            connection.transport.abort()
        await asyncio.sleep(0)
        if left := list(self._state.tasks):
            for task in left:
                task.cancel()
            await asyncio.wait(left, timeout=_GRACE / 2)
        await server.wait_closed()

    def _connections(self) -> list[Connection]:
        return [c for c in self._state.connections if isinstance(c, Connection)]
