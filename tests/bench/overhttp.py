"""Questions to a log through the admin port, as its clients ask them."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

import aiohttp
from prometheus_client import CollectorRegistry

from reactor.admin import moment
from reactor.admin.server import Server
from reactor.audit.feed import Feed
from reactor.audit.query import Reader
from tests.bench.questions import ENDS, Listing
from tests.unit.admin.parts import NoSplits, Reasons


async def ask(path: Path, listings: Iterable[Listing]) -> list[float]:
    """Milliseconds until each answer has come, one after the other on one connection."""
    log = Reader(url=str(path))
    server = Server(
        address="127.0.0.1:0",
        readiness=Reasons(),
        registry=CollectorRegistry(),
        log=log,
        feed=Feed(log=log),
        splits=NoSplits(),
        reviewer=None,
    )
    await server.start()
    taken = []
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{server.port}") as session:
            for listing in listings:
                began = time.perf_counter()
                async with session.get("/api/v1/entries", params=_parameters(listing)) as answer:
                    await answer.read()
                    answer.raise_for_status()
                taken.append(1000 * (time.perf_counter() - began))
    finally:
        await server.stop()
    return taken


def _parameters(listing: Listing) -> dict[str, str]:
    filters = listing.filters
    given = {name: getattr(filters, name) for name in filters.given()}
    for name in {"since", "until"} & given.keys():
        given[name] = moment.text(given[name])
    cursor = listing.cursor(ENDS)
    return {**given, "order": listing.order, **({} if cursor is None else {"cursor": cursor})}
