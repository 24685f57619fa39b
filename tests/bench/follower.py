"""A client of /api/v1/tail that loses its connection now and then, and comes back for the rest."""

from __future__ import annotations

import asyncio
import time
from typing import Literal

import aiohttp
import msgspec

Form = Literal["sse", "ndjson"]
_SILENCE = 20.0


class Seen(msgspec.Struct, frozen=True):
    """One row that came, and when: seconds since 1970, as is when its connection began."""

    id: str
    at: float
    began: float


class _Row(msgspec.Struct):
    run: str
    seq: int


class Follower:
    """Follows from now on; every row it was given is in ``rows``, in the order of arrival."""

    def __init__(self, session: aiohttp.ClientSession, *, url: str, form: Form) -> None:
        self._session = session
        self._url = f"{url}/api/v1/tail?format={form}"
        self._form = form
        self._decoder = msgspec.json.Decoder(_Row)
        self._answer: aiohttp.ClientResponse | None = None
        self._awaited = ""
        self._complete = asyncio.Event()
        self.on = asyncio.Event()
        self.rows: list[Seen] = []

    @property
    def last(self) -> str:
        """The id of the newest row that came; "" before the first."""
        return self.rows[-1].id if self.rows else ""

    async def reach(self, row: str) -> None:
        """Return once the row has come."""
        self._awaited = row
        if self.last != row:
            await self._complete.wait()

    def cut(self) -> None:
        """Break the connection, wherever it is in a row."""
        if self._answer is not None:
            self._answer.close()

    async def run(self) -> None:
        """For ever; cancel it to end it. Raises RuntimeError when it is refused."""
        while True:
            try:
                await self._follow()
            except (aiohttp.ClientError, ConnectionError):
                continue

    async def _follow(self) -> None:
        url, headers = self._url, {}
        if self._form == "sse":
            headers["Last-Event-ID"] = self.last
        elif self.rows:
            url += f"&after={self.last}"
        async with self._session.get(url, headers=headers) as answer:
            if answer.status != 200:
                raise RuntimeError(f"{url}: {answer.status} {await answer.text()}")
            self._answer = answer
            began: float | None = None
            rest = b""
            while True:
                async with asyncio.timeout(_SILENCE):
                    read = await answer.content.readany()
                if not read:
                    return
                now = time.time()
                if began is None:
                    began = now
                    self.on.set()
                *lines, rest = (rest + read).split(b"\n")
                self._see(lines, now, began)

    def _see(self, lines: list[bytes], now: float, began: float) -> None:
        for line in lines:
            # An event's other lines, and a heartbeat, hold no row.
            body = line.removeprefix(b"data: ")
            if body.startswith(b"{"):
                row = self._decoder.decode(body)
                self.rows.append(Seen(f"{row.run}.{row.seq}", now, began))
        if self._awaited and self.last == self._awaited:
            self._complete.set()
