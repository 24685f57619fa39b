"""Who we are to the API server: one identity, kept fresh.

kubernetes-asyncio 36.1 reads a tokenFile once, ignores `as`, ends its refresh with the first
failure and keeps newlines of token files; so all of it is done here. A failed refresh keeps the
identity that was there: the API server, not a plugin, says when we are out.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

import msgspec

from reactor.errors import Retryable

log = logging.getLogger(__name__)

_AGAIN = 5.0  # seconds between two refreshes that fail, or that 401s ask for


class Identity(msgspec.Struct, frozen=True):
    """What proves who we are. ``until`` is when to fetch anew (seconds of the epoch), or None.

    ``certificate`` is a client certificate and its key, both PEM.
    """

    authorization: str | None
    certificate: tuple[bytes, bytes] | None = None
    until: float | None = None


class Source(Protocol):
    """Where identities come from."""

    async def fetch(self, *, rejected: bool) -> Identity:
        """A fresh identity; Retryable when that fails now.

        ``rejected``: the API server refused the last one, so no cache may answer.
        """
        ...


class Credentials:
    """The current identity. Concurrent callers share one refresh."""

    def __init__(self, *, source: Source, clock: Callable[[], float]) -> None:
        self._source = source
        self._clock = clock
        self._identity: Identity | None = None
        self._retry_at = 0.0
        self._lock = asyncio.Lock()

    def valid(self) -> Identity | None:
        """The identity when it needs no refresh: the quick way of every request."""
        identity = self._identity
        if identity is None or (identity.until is not None and self._clock() >= identity.until):
            return None
        return identity

    async def current(self) -> Identity:
        """A valid identity, refreshed if need be; Retryable when there has never been one."""
        async with self._lock:
            return self.valid() or await self._refresh(rejected=False)

    async def renew(self, used: Identity) -> bool:
        """After a 401 to ``used``: whether there is another identity to try with."""
        async with self._lock:
            if self._identity is used:
                try:
                    await self._refresh(rejected=True)
                except Retryable as error:
                    log.warning("credentials: %s", error)
            fresh = self._identity
        return fresh is not None and (
            fresh.authorization != used.authorization or fresh.certificate != used.certificate
        )

    async def _refresh(self, *, rejected: bool) -> Identity:
        known = self._identity
        if known is not None and self._clock() < self._retry_at:
            return known
        try:
            fresh = await self._source.fetch(rejected=rejected)
            self._retry_at = self._clock() + _AGAIN if rejected else 0.0
        except Retryable as error:
            self._retry_at = self._clock() + _AGAIN
            if known is None:
                raise
            log.warning("credentials: %s; the ones at hand stay in use", error)
            return known
        self._identity = fresh
        return fresh
