"""A log that this process reads, as the adaptor's own routes do: the same questions and answers."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Mapping
from typing import Any, cast, get_args
from urllib.parse import urlencode

from reactor.admin import entries, filters, stories
from reactor.admin.problem import Refused
from reactor.admin.question import read, read_path
from reactor.audit.query import Filters
from reactor.audit.query.export import Format
from reactor.client.port import Query, failure


class Direct:
    """The part of `Port` that is the same wherever the rows lie."""

    def __init__(self, log: entries.Log) -> None:
        self._log = log
        found = (*entries.routes(log), *stories.routes(log))
        self._routes = {route.path: route for route in found}

    async def get(self, path: str, places: Query, query: Query) -> bytes:
        """As `Port.get`."""
        now = time.time_ns() // 1000
        route = self._routes[path]
        try:
            filled = read_path(places, route.places, now=now)
            return await route.answer(filled, urlencode(query).encode(), now)
        except Refused as refused:
            raise failure(refused.status, refused.body) from refused

    async def export(self, query: Query, form: str) -> AsyncGenerator[bytes, None]:
        """As `Port.export`."""
        assert form in get_args(Format)
        parts = self._log.export(asked(query), cast(Format, form))
        try:
            async for part in parts:
                yield part
        finally:
            # Now, and not when the loop ends: it holds a connection.
            if isinstance(parts, AsyncGenerator):
                await parts.aclose()


def asked(query: Query) -> Filters:
    """The filters of a query; Fatal when one is wrong."""
    try:
        found: Mapping[str, Any] = read(
            urlencode(query).encode(), filters.FILTERS, now=time.time_ns() // 1000
        )
    except Refused as refused:
        raise failure(refused.status, refused.body) from refused
    return Filters(**found)
