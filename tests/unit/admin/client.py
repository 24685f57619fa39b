"""A client that sends what it is told, byte for byte."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec


class Answer(msgspec.Struct, frozen=True):
    """A response; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    def json(self) -> Any:
        """The body as JSON."""
        return msgspec.json.decode(self.body)


async def send(port: int, raw: bytes) -> Answer:
    """Send bytes on a connection of their own and return the answer to them."""
    async with asyncio.timeout(45):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(raw)
            await writer.drain()
            return parse(await reader.read())
        finally:
            writer.close()
            await writer.wait_closed()


async def ask(
    port: int,
    target: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
) -> Answer:
    """Send one request and return its answer."""
    lines = [f"{method} {target} HTTP/1.1", "Host: admin", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return await send(port, "\r\n".join([*lines, "", ""]).encode() + body)


def parse(raw: bytes) -> Answer:
    """Return the one response in these bytes."""
    head, _, body = raw.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in lines)}
    if headers.get("transfer-encoding") == "chunked":
        body = _joined(body)
    return Answer(int(status.split()[1]), headers, body)


def _joined(chunked: bytes) -> bytes:
    parts: list[bytes] = []
    while True:
        size, _, chunked = chunked.partition(b"\r\n")
        if not int(size, 16):
            assert chunked == b"\r\n"
            return b"".join(parts)
        parts.append(chunked[: int(size, 16)])
        chunked = chunked[int(size, 16) + 2 :]
