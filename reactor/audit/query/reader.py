"""Opens the log for each question and lets go of it, within a time."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, TypeVar

from reactor.audit import chain, engine
from reactor.audit.chain import Anchor, Verdict
from reactor.audit.engine import Connection
from reactor.audit.index.schema import beside
from reactor.audit.pace import Pace
from reactor.audit.query import pages
from reactor.audit.query.behind import Behind
from reactor.audit.query.cursor import Cursor
from reactor.audit.query.export import Format, exported
from reactor.audit.query.filters import Filters, Order
from reactor.audit.query.pages import Page
from reactor.audit.query.position import LOWEST
from reactor.audit.query.records import Run
from reactor.audit.query.sqlite import SqliteStore
from reactor.audit.query.stats import Stats
from reactor.audit.row import Row
from reactor.audit.trouble import Unavailable, explain

T = TypeVar("T")

PATIENCE: Final = 5.0
"""Seconds that an answer may take: a long reader lets the WAL grow."""


class Reader:
    """Each question has a connection of its own, so that a replaced file is noticed."""

    def __init__(self, *, url: str, pace: Pace | None = None) -> None:
        self._path: Path = engine.location(url)
        self._pace = pace or Pace()

    async def entries(
        self,
        filters: Filters,
        *,
        limit: int = 100,
        order: Order = "newest",
        cursor: str | None = None,
    ) -> Page:
        """One page. Raises ValueError for a bad limit, text or cursor, ReactorError when the
        database can't be read or takes longer than 5 s.
        """
        begin = None if cursor is None else Cursor.parse(cursor)

        async def read(store: SqliteStore) -> Page:
            place = begin
            if place is not None and place.position >= LOWEST:
                place = await store.translated(place)
            return await pages.page(store, filters, limit=limit, order=order, cursor=place)

        return await self._ask(read)

    async def export(self, filters: Filters, form: Format) -> AsyncIterator[bytes]:
        """All rows there are now that pass, the oldest first, and a last line that says whether
        they are all there. Raises ValueError for a bad text, ReactorError when it can't begin.
        """
        filters.wanted()
        try:
            async with self._opened() as (_, store):
                with self._pace.reading():
                    began = time.monotonic()
                    async for part in exported(store, filters, form):
                        await self._pace.give_way(time.monotonic() - began)
                        yield part
                        began = time.monotonic()
        except sqlite3.Error as error:
            raise explain(error, self._path) from error

    async def entry(self, run: str, seq: int) -> Row | None:
        """One row, None when there is none."""
        return await self._ask(lambda store: store.entry(run, seq))

    async def place(self, position: int) -> int:
        """The same place in the archive's order."""
        return await self._ask(lambda store: store.place(position))

    async def document(self, digest: bytes) -> str | None:
        """An object's JSON, None when nothing refers to it any more."""
        return await self._ask(lambda store: store.document(digest))

    async def documents(self, digests: Sequence[bytes]) -> dict[bytes, str]:
        """Those of them that are there."""
        return await self._ask(lambda store: store.documents(digests))

    async def stats(self) -> Stats:
        """How much the log holds."""
        return await self._ask(lambda store: store.stats(self._path))

    async def verify(self, *anchors: Anchor) -> Verdict:
        """Read the whole log and prove it, giving way to others; see `chain.verify`."""
        with self._pace.reading():
            return await chain.verify(str(self._path), *anchors, rest=self._pace.rest)

    def behind(self) -> Behind:
        """For whoever follows the log; `close` it at the end."""
        return Behind(self._path)

    async def span(self, filters: Filters) -> pages.Span:
        """Between which positions the rows lie at most."""
        return await self._ask(lambda store: store.span(filters))

    async def runs(self) -> list[Run]:
        """All of them, the newest first."""
        return await self._ask(lambda store: store.runs())

    async def _ask(self, question: Callable[[SqliteStore], Awaitable[T]]) -> T:
        try:
            async with self._pace.turn(), self._opened() as (connection, store):
                asking = asyncio.ensure_future(_begun(store, question))
                try:
                    done, _ = await asyncio.wait({asking}, timeout=PATIENCE)
                finally:
                    if not asking.done():
                        connection.interrupt()
                        await asyncio.wait({asking})
                        asking.exception()  # that it was interrupted is no news
                if not done:
                    raise Unavailable(f"the query took longer than {PATIENCE:g} s; narrow it")
                return asking.result()
        except sqlite3.Error as error:
            raise explain(error, self._path) from error

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[tuple[Connection, SqliteStore]]:
        connection = await Connection.open(engine.reader(self._path))
        try:
            index = await connection.run(_attach, beside(self._path))
            yield connection, SqliteStore(connection, index=index)
        finally:
            await connection.close()


async def _begun(store: SqliteStore, question: Callable[[SqliteStore], Awaitable[T]]) -> T:
    await store.begin()
    return await question(store)


def _attach(connection: sqlite3.Connection, index: Path) -> bool:
    """The search index as ``side``, if it is there: without it the log is searched alone."""
    try:
        connection.execute("ATTACH DATABASE ? AS side", (engine.uri(index, "ro"),))
        connection.execute("SELECT count(*) FROM side.sqlite_master").fetchone()
    except sqlite3.Error:
        return False
    return True
