"""Identities that need no program and no provider: nothing, a token, a password, a file."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from pathlib import Path

from reactor.errors import Retryable
from reactor.kube.credentials import Identity
from reactor.kube.target import why

_REREAD = 10.0  # seconds; client-go's period for token files


def bearer(token: str) -> str:
    """The Authorization header for a token. Whitespace around it is a file's, not its own.

    ValueError for characters that no header can carry.
    """
    stripped = token.strip()
    if not stripped.isascii() or not stripped.isprintable() or " " in stripped:
        raise ValueError("the token holds characters that no token has")
    return f"Bearer {stripped}"


def basic(username: str, password: str) -> str:
    """The Authorization header for a name and a password."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


class Static:
    """An identity that never changes (perhaps an empty one)."""

    def __init__(self, authorization: str | None) -> None:
        self._identity = Identity(authorization)

    async def fetch(self, *, rejected: bool) -> Identity:
        """The same each time."""
        return self._identity


class TokenFile:
    """A token in a file that someone rotates: read again every 10 s and after a 401."""

    def __init__(self, path: Path, *, where: str, clock: Callable[[], float]) -> None:
        self._path = path
        self._where = where
        self._clock = clock

    async def fetch(self, *, rejected: bool) -> Identity:
        """The file's token; Retryable while the file is missing or empty."""
        try:
            token = (await asyncio.to_thread(self._path.read_text)).strip()
            authorization = bearer(token)
        except (OSError, ValueError) as error:
            raise Retryable(f"{self._where}: can't use {self._path}: {why(error)}") from error
        if not token:
            raise Retryable(f"{self._where}: {self._path} is empty")
        return Identity(authorization, until=self._clock() + _REREAD)
