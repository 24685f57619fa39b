"""What a part that writes to the API server needs of a Connection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from reactor.kube.connection import Response


class Writes(Protocol):
    """A Connection, as far as it is needed here."""

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        content_type: str | None = None,
        timeout: float = ...,
        resource: str = "",
    ) -> Response:
        """One request."""
        ...
