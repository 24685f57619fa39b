"""A server on a free loopback port, stopped at the end of the test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from prometheus_client import CollectorRegistry

from reactor.admin.access import Reviewer
from reactor.admin.entries import Log
from reactor.admin.limits import Limits
from reactor.admin.pages.source import Source
from reactor.admin.probes import Readiness
from reactor.admin.server import Server
from reactor.admin.splits import Splits
from reactor.audit.feed import Feed
from tests.unit.admin.parts import MemoryLog, NoSplits, Reasons

Serve = Callable[..., Awaitable[Server]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Return a function that starts a server with these parts."""
    started: list[Server] = []

    async def start(
        *,
        log: Log | None = None,
        feed: Feed | None = None,
        readiness: Readiness | None = None,
        registry: CollectorRegistry | None = None,
        splits: Splits | None = None,
        reviewer: Reviewer | None = None,
        source: Source | None = None,
        limits: Limits | None = None,
    ) -> Server:
        log = log or MemoryLog()
        server = Server(
            address="127.0.0.1:0",
            readiness=readiness or Reasons(),
            registry=registry or CollectorRegistry(),
            log=log,
            feed=feed or Feed(log=MemoryLog()),
            splits=splits or NoSplits(),
            reviewer=reviewer,
            source=source,
            limits=limits,
        )
        await server.start()
        started.append(server)
        return server

    yield start
    for server in started:
        await server.stop()
