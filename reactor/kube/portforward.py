"""A port of a pod on the loopback, through the API server: one websocket a connection.

`v4.channel.k8s.io` is the subprotocol that container runtimes serve beside kubectl's SPDY
(k8s.io/cri-streaming, websocket.go). A message begins with its channel, 0 for data, 1 for what
went wrong; the first message of a channel is the port. One direction alone can't be closed:
whoever ends first ends both.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Protocol

import aiohttp

from reactor.errors import ReactorError, Retryable, Terminal
from reactor.tasks import Tasks

_SUBPROTOCOL = "v4.channel.k8s.io"
_DATA, _ERROR = 0, 1
_CHUNK = 2**15  # bytes a message

Socket = aiohttp.ClientWebSocketResponse[bool]


class Websockets(Protocol):
    """A Connection, as far as it is needed here."""

    async def websocket(
        self,
        path: str,
        *,
        protocol: str,
        query: Mapping[str, str] | None = None,
        resource: str = "",
    ) -> Socket:
        """Opens one."""
        ...


@asynccontextmanager
async def forwarded(
    connection: Websockets, namespace: str, pod: str, port: int
) -> AsyncIterator[int]:
    """A port of 127.0.0.1 that leads to the pod's, for as long as this is entered.

    Entering raises what the API server says of a pod that is gone, or that we may not reach (it
    takes `get` and `create` of pods/portforward). A port that nobody listens on shows only when
    data is to flow: the error that this makes inside is raised as Retryable, which says so.
    """
    forwarding = _Forwarding(connection, namespace=namespace, pod=pod, port=port)
    try:
        await forwarding.prove()
        server = await asyncio.start_server(forwarding.accept, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
    except Exception as error:
        if forwarding.problem is not None and error is not forwarding.problem:
            raise forwarding.problem from error
        raise
    finally:
        await forwarding.close()


class _Forwarding:
    """The connections that are open, and why the last one that failed did."""

    def __init__(self, connection: Websockets, *, namespace: str, pod: str, port: int) -> None:
        self._connection = connection
        self._path = f"/api/v1/namespaces/{namespace}/pods/{pod}/portforward"
        self._what = f"port {port} of pod {namespace}/{pod}"
        self._port = port
        self._tasks = Tasks()
        self._first: Socket | None = None
        self.problem: ReactorError | None = None

    async def prove(self) -> None:
        """Opens the websocket of the first connection, before it comes."""
        self._first = await self._open()

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Takes a local connection."""
        self._tasks.spawn(self._carry(reader, writer), name=f"forward {self._what}")

    async def close(self) -> None:
        """Ends all connections."""
        await self._tasks.cancel()
        if self._first is not None:
            await self._first.close()

    async def _open(self) -> Socket:
        try:
            return await self._connection.websocket(
                self._path,
                protocol=_SUBPROTOCOL,
                query={"ports": str(self._port)},
                resource="pods/portforward",
            )
        except Terminal as error:
            if error.status != 403:
                raise
            # Since 1.35 the API server asks for both, and doesn't say which one is missing.
            message = f"{error} (it takes get and create of pods/portforward)"
            raise Terminal(message, status=403, reason=error.reason) from error

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, self._first = self._first, None
        try:
            socket = first or await self._open()
            upward = asyncio.create_task(_up(reader, socket))
            try:
                await self._down(socket, writer)
            finally:
                upward.cancel()
                await asyncio.gather(upward, return_exceptions=True)
                await socket.close()
        except ReactorError as error:
            self.problem = error
        except OSError:
            pass  # the local side is gone
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _down(self, socket: Socket, writer: asyncio.StreamWriter) -> None:
        begun = set()
        async for message in socket:
            if message.type is aiohttp.WSMsgType.ERROR:
                raise Retryable(f"lost {self._what}: {socket.exception()}")
            if message.type is not aiohttp.WSMsgType.BINARY or not message.data:
                continue
            channel, data = message.data[0], message.data[1:]
            if channel not in begun:
                begun.add(channel)
            elif channel == _DATA:
                writer.write(data)
                await writer.drain()
            elif channel == _ERROR:
                raise Retryable(f"can't reach {self._what}: {data.decode(errors='replace')}")


async def _up(reader: asyncio.StreamReader, socket: Socket) -> None:
    with contextlib.suppress(aiohttp.ClientError, OSError):  # why is for the other direction to say
        while data := await reader.read(_CHUNK):
            await socket.send_bytes(bytes([_DATA]) + data)
        await socket.close()
