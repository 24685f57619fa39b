"""Lines of a stream that may be of any length and come in any pieces."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Protocol

import aiohttp

from reactor.errors import Retryable


class Chunks(Protocol):
    """aiohttp's StreamReader, as far as it is used here."""

    async def readany(self) -> bytes:
        """What has come; empty at the end."""
        ...


async def lines(chunks: Chunks, lost: Callable[[Exception], Retryable]) -> AsyncIterator[bytes]:
    """Complete lines, without their newline. An end amid a line raises what ``lost`` makes."""
    pending: list[bytes] = []  # pieces of a line; joined once, so a long one stays linear
    while True:
        try:
            chunk = await chunks.readany()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise lost(error) from error
        if not chunk:
            break
        *complete, rest = chunk.split(b"\n")
        for line in complete:
            if pending:
                line = b"".join((*pending, line))
                pending.clear()
            if line:
                yield line
        if rest:
            pending.append(rest)
    if pending:
        raise lost(EOFError("the connection ended in the middle of a line"))
