"""HEAD as GET without its body: an answer that goes on for long ends where its body begins."""

from __future__ import annotations

import asyncio
from typing import cast

from litestar.types import (
    HTTPDisconnectEvent,
    HTTPReceiveMessage,
    HTTPResponseBodyEvent,
    HTTPScope,
    Message,
    Send,
)


class Head:
    """One request; ``scope`` is what the application is asked instead."""

    def __init__(self, scope: HTTPScope, send: Send) -> None:
        self.scope = cast(HTTPScope, {**scope, "method": "GET"})
        self._send = send
        self._over = asyncio.Event()

    async def receive(self) -> HTTPReceiveMessage:
        """To an application that goes on, the client has left."""
        await self._over.wait()
        return HTTPDisconnectEvent(type="http.disconnect")

    async def send(self, message: Message) -> None:
        """Pass on its beginning; the server drops a body."""
        if self._over.is_set():
            return
        if message["type"] == "http.response.body":
            self._over.set()
            message = HTTPResponseBodyEvent(
                type="http.response.body", body=message["body"], more_body=False
            )
        await self._send(message)
