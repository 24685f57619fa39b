"""What those who ask the API server need of a Connection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from reactor.kube.connection import Response


class Requests(Protocol):
    """A Connection, as far as one request at a time needs it."""

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        content_type: str | None = None,
        timeout: float = ...,
        verb: str | None = None,
        resource: str = "",
    ) -> Response:
        """One request."""
        ...
