"""The file of a log, read as the adaptor's own routes read it: the same questions and answers."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final, get_args
from urllib.parse import urlencode

import msgspec

from reactor.admin import entries, filters, moment, stories, wire
from reactor.admin.entries import entry
from reactor.admin.problem import Refused
from reactor.admin.question import read, read_path
from reactor.audit import engine
from reactor.audit.chain import Anchor, verify
from reactor.audit.query import Filters, Reader
from reactor.audit.query.cursor import Cursor
from reactor.audit.query.export import Format
from reactor.audit.query.filters import Sieve
from reactor.audit.query.stats import Stats
from reactor.client.port import Query, failure
from reactor.errors import Fatal, Terminal

POLL: Final = 0.25
"""Seconds between two looks for new rows."""
_BATCH: Final = 1000


def database(url: str) -> Local:
    """The log that ``--db`` names: a file, or sqlite:/// and a file; Fatal when it is none."""
    if "://" in url and not url.startswith("sqlite"):
        raise Fatal(f"--db {url.partition('://')[0]}://...: only SQLite files can be read", code=2)
    path = engine.location(url)
    if not path.is_file():
        raise Fatal(f"--db {path}: there is no such file", code=2)
    try:
        with closing(sqlite3.connect(engine.uri(path, "ro"), uri=True)) as connection:
            connection.execute("SELECT position, hash FROM entries LIMIT 1").fetchone()
    except sqlite3.Error as error:
        raise Fatal(f"--db {path}: this is no audit log that can be read ({error})") from error
    return Local(path)


class Local:
    """A log on this machine; its adaptor may go on writing to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._reader = Reader(url=str(path))
        found = (*entries.routes(self._reader), *stories.routes(self._reader))
        self._routes = {route.path: route for route in found}

    async def get(self, path: str, places: Query, query: Query) -> bytes:
        """As `Port.get`."""
        now = time.time_ns() // 1000
        if path == "/api/v1/stats":
            return _stats(await self._reader.stats())
        route = self._routes[path]
        try:
            filled = read_path(places, route.places, now=now)
            return await route.answer(filled, urlencode(query).encode(), now)
        except Refused as refused:
            raise failure(refused.status, refused.body) from refused

    async def verify(self, anchor: str | None) -> bytes:
        """As `Port.verify`."""
        try:
            wanted = None if anchor is None else Anchor.parse(anchor)
        except ValueError as error:
            raise Fatal(f"--anchor: {error}", code=2) from error
        found = await verify(str(self.path), wanted)
        newest = None if found.anchor is None else str(found.anchor)
        return msgspec.json.encode(
            wire.Verdict(found.problem is None, found.rows, found.problem, newest)
        )

    async def export(self, query: Query, form: str) -> AsyncIterator[bytes]:
        """As `Port.export`."""
        assert form in get_args(Format)
        # The names are those of the two forms, as was just seen.
        wanted: Format = "csv" if form == "csv" else "ndjson"
        async for part in self._reader.export(_filters(query), wanted):
            yield part

    async def tail(self, query: Query, after: str | None) -> AsyncIterator[bytes]:
        """As `Port.tail`: it looks again and again, and never ends."""
        sieve = Sieve(_filters(query))
        position = await self._position(after)
        while True:
            page = await self._reader.entries(
                Filters(), limit=_BATCH, order="oldest", cursor=str(Cursor(position, above=True))
            )
            for row in page.entries:
                position = row.position
                if sieve.fits(row):
                    yield msgspec.json.encode(entry(row))
            if not page.entries:
                await asyncio.sleep(POLL)

    async def _position(self, after: str | None) -> int:
        if after is None:
            page = await self._reader.entries(Filters(), limit=1)
            return page.entries[0].position if page.entries else 0
        run, _, seq = after.rpartition(".")
        row = await self._reader.entry(run, int(seq))
        if row is None:
            raise Terminal(f"the log has no entry {after} (any more)", status=404)
        return row.position


def _filters(query: Query) -> Filters:
    try:
        found: Mapping[str, Any] = read(
            urlencode(query).encode(), filters.FILTERS, now=time.time_ns() // 1000
        )
    except Refused as refused:
        raise failure(refused.status, refused.body) from refused
    return Filters(**found)


def _stats(found: Stats) -> bytes:
    gaps = [
        wire.Gap(
            hole.run,
            hole.seq,
            hole.rows,
            moment.text(hole.first),
            moment.text(hole.last),
            hole.reason,
        )
        for hole in found.holes
    ]
    shown = wire.Stats(
        rows=found.rows,
        bytes=found.bytes,
        index_bytes=found.index_bytes,
        unindexed=found.unindexed,
        runs=found.runs,
        oldest=None if found.oldest is None else moment.text(found.oldest),
        newest=None if found.newest is None else moment.text(found.newest),
        gaps=gaps,
    )
    return msgspec.json.encode(shown)
