"""One HTTP/1.1 connection: uvicorn's, with the time limits that it lacks."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from reactor.admin.limits import Limits
from reactor.admin.problem import MEDIA_TYPE, Refused


class Connection(H11Protocol):
    """Closes on a client that is slow to ask or slow to read; no websockets.

    uvicorn's own timer runs only between two requests.
    """

    def __init__(
        self,
        *,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        limits: Limits,
    ) -> None:
        super().__init__(config, server_state, {**app_state, "go_on": self.go_on})
        self._limits = limits
        self._deadline: asyncio.TimerHandle | None = None

    @property
    def busy(self) -> bool:
        """True while a request is being answered."""
        return self.cycle is not None and not self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        if len(self.connections) > self._limits.connections:
            transport.abort()
            return
        self._allow(self._limits.head_seconds)

    def data_received(self, data: bytes) -> None:
        before = self.cycle
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self.busy:
            if self.cycle is not before:
                self._allow(self._limits.answer_seconds)
        elif self._deadline is None:
            self._allow(self._limits.head_seconds)

    def on_response_complete(self) -> None:
        if not self.transport.get_write_buffer_size():
            # Else the client has to take the rest in time, even if we close meanwhile.
            self._settle()
        super().on_response_complete()
        if self.busy:  # the next request was there already
            self._allow(self._limits.answer_seconds)

    def go_on(self) -> None:
        """A part of a long answer is about to leave: the client has as long for it as for a
        whole one.
        """
        self._allow(self._limits.answer_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._settle()
        super().connection_lost(exc)
        self._unset_keepalive_if_required()  # uvicorn leaves it running after a reset

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP with the same error shape as everything else."""
        refused = Refused(400, f"{msg} Or its head is longer than {self._limits.head} bytes.")
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            headers = [
                ("content-type", MEDIA_TYPE),
                ("content-length", str(len(refused.body))),
                ("connection", "close"),
            ]
            for event in (
                h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
                h11.Data(data=refused.body),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _should_upgrade(self) -> bool:
        return False

    def _allow(self, seconds: float) -> None:
        self._settle()
        self._deadline = self.loop.call_later(seconds, self.transport.abort)

    def _settle(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
