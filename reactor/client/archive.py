"""The archive in PostgreSQL: all runs and replicas of a cluster."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from functools import partial
from typing import Any, Final

import msgspec

from reactor.admin import figures
from reactor.admin.entries import entry
from reactor.audit.archive import follow
from reactor.audit.archive.follow import Place
from reactor.audit.archive.reader import ArchiveReader
from reactor.audit.chain import Anchor
from reactor.audit.query.filters import Sieve
from reactor.audit.row import Row
from reactor.audit.trouble import Unavailable
from reactor.client.direct import Direct, asked
from reactor.client.port import Query
from reactor.errors import Fatal, Terminal

POLL: Final = 0.25
"""Seconds between two looks for new rows."""
_AGAIN: Final = 1.0
"""Seconds after the archive couldn't be asked."""


class Archive(Direct):
    """`close` it at the end. ``told`` is told when a tail has to wait for the archive."""

    def __init__(self, url: str, *, cluster: str, told: Callable[[str], None]) -> None:
        self._archive = ArchiveReader(url=url, cluster=cluster)
        self._told = told
        super().__init__(self._archive)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._archive.close()

    async def get(self, path: str, places: Query, query: Query) -> bytes:
        """As `Port.get`."""
        if path == "/api/v1/stats":
            return msgspec.json.encode(figures.stats(await self._archive.stats()))
        return await super().get(path, places, query)

    async def verify(self, anchor: str | None) -> bytes:
        """As `Port.verify`; an anchor of each log, separated by commas."""
        try:
            wanted = [Anchor.parse(one) for one in (anchor or "").split(",") if one]
        except ValueError as error:
            raise Fatal(f"--anchor: {error}", code=2) from error
        return msgspec.json.encode(figures.verdict(await self._archive.verify(*wanted)))

    async def tail(
        self, query: Query, after: str | None, *, begun: Callable[[], None]
    ) -> AsyncGenerator[bytes, None]:
        """As `Port.tail`: it looks again and again, and never ends.

        It waits for an archive that went by itself: only here is known how far each run was.
        """
        sieve = Sieve(asked(query))
        place = await self._place(after)
        begun()
        waiting = False
        while True:
            try:
                rows, place = await self._archive.asked(partial(_news, place))
            except Unavailable as error:
                if not waiting:
                    self._told(f"{error}; trying again")
                waiting = True
                await asyncio.sleep(_AGAIN)
                continue
            waiting = False
            for row in rows:
                if sieve.fits(row):
                    yield msgspec.json.encode(entry(row))
            if not rows:
                await asyncio.sleep(POLL)

    async def _place(self, after: str | None) -> Place:
        if after is None:
            return await self._archive.asked(follow.now)
        run, _, seq = after.rpartition(".")
        place = await self._archive.asked(
            lambda connection, cluster: follow.behind(connection, cluster, run, int(seq))
        )
        if place is None:
            raise Terminal(f"the archive has no entry {after} (any more)", status=404)
        return place


async def _news(place: Place, connection: Any, cluster: int) -> tuple[list[Row], Place]:
    return await follow.news(connection, cluster, place)
