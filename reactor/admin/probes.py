"""The four open paths: /ping, /live, /ready and /metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.exposition import generate_latest

# Litestar adds the charset.
_TEXT = "text/plain"
_METRICS = "text/plain; version=0.0.4"


class Readiness(Protocol):
    """Knows what the program still waits for."""

    def reasons(self) -> Sequence[str]:
        """Return each reason not to be ready, in plain words; none when ready."""
        ...

    def remarks(self) -> Sequence[str]:
        """Return what doesn't work although it is ready, in plain words."""
        ...


class _Family(msgspec.Struct, frozen=True):
    family: Metric

    def collect(self) -> Iterator[Metric]:
        yield self.family


def probes(*, readiness: Readiness, registry: CollectorRegistry) -> list[HTTPRouteHandler]:
    """Return the handlers of the open paths."""

    @get("/ping")
    async def ping() -> Response[bytes]:
        return _text(b"pong\n")

    @get("/live")
    async def live() -> Response[bytes]:
        return _text(b"ok\n")

    @get("/ready")
    async def ready() -> Response[bytes]:
        reasons = readiness.reasons()
        if not reasons:
            remarks = "".join(f"but: {remark}\n" for remark in readiness.remarks())
            return _text(f"ok\n{remarks}".encode())
        return _text("".join(f"{reason}\n" for reason in reasons).encode(), status=503)

    @get("/metrics")
    async def metrics() -> Response[bytes]:
        chunks: list[bytes] = []
        for family in registry.collect():
            chunks.append(generate_latest(_Family(family)))
            await asyncio.sleep(0)  # all at once would hold up the controller for milliseconds
        return _text(b"".join(chunks), media_type=_METRICS)

    return [ping, live, ready, metrics]


def _text(body: bytes, *, status: int = 200, media_type: str = _TEXT) -> Response[bytes]:
    return Response(
        body, status_code=status, media_type=media_type, headers={"cache-control": "no-store"}
    )
