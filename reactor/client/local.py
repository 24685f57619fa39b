"""The file of a log."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Callable
from contextlib import closing
from pathlib import Path
from typing import Final

import msgspec

from reactor.admin import figures
from reactor.admin.entries import entry
from reactor.audit import engine
from reactor.audit.chain import Anchor, verify
from reactor.audit.query import Filters, Reader
from reactor.audit.query.cursor import Cursor
from reactor.audit.query.filters import Sieve
from reactor.client.direct import Direct, asked
from reactor.client.port import Query
from reactor.errors import Fatal, Terminal

POLL: Final = 0.25
"""Seconds between two looks for new rows."""
_BATCH: Final = 1000


def file(url: str) -> Local:
    """The log that ``--db`` names: a file, or sqlite:/// and a file; Fatal when it is none."""
    path = located(url)
    if not path.is_file():
        what = "it is no file" if path.exists() else "there is no such file"
        raise Fatal(f"--db {path}: {what}; give the path of an audit log", code=2)
    try:
        if path.stat().st_size == 0:
            raise Fatal(f"--db {path}: this is no audit log: it is empty")
        with closing(sqlite3.connect(engine.uri(path, "ro"), uri=True)) as connection:
            connection.execute("SELECT position, hash FROM entries LIMIT 1").fetchone()
    except (sqlite3.Error, OSError) as error:
        raise Fatal(f"--db {path}: this is no audit log that can be read ({error})") from error
    return Local(path)


def located(url: str) -> Path:
    """Where that file is to be; Fatal when it is another database's URL."""
    if "://" in url and not url.startswith("sqlite"):
        # What follows may hold a password.
        raise Fatal(f"--db {url.partition('://')[0]}://...: this takes a SQLite file", code=2)
    if not url.removeprefix("sqlite:").strip("/"):
        raise Fatal(f"--db {url!r} names no file: give the path of an audit log", code=2)
    return engine.location(url)


class Local(Direct):
    """A log on this machine; its adaptor may go on writing to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._reader = Reader(url=str(path))
        super().__init__(self._reader)

    async def get(self, path: str, places: Query, query: Query) -> bytes:
        """As `Port.get`."""
        if path == "/api/v1/stats":
            return msgspec.json.encode(figures.stats(await self._reader.stats()))
        return await super().get(path, places, query)

    async def verify(self, anchor: str | None) -> bytes:
        """As `Port.verify`."""
        try:
            wanted = [Anchor.parse(one) for one in (anchor or "").split(",") if one]
        except ValueError as error:
            raise Fatal(f"--anchor: {error}", code=2) from error
        return msgspec.json.encode(figures.verdict(await verify(str(self.path), *wanted)))

    async def tail(
        self, query: Query, after: str | None, *, begun: Callable[[], None]
    ) -> AsyncGenerator[bytes, None]:
        """As `Port.tail`: it looks again and again, and never ends."""
        sieve = Sieve(asked(query))
        position = await self._position(after)
        begun()
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
