"""Rows as they are committed, for any number of readers that follow the log."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final, Protocol

from reactor.audit.query.cursor import Cursor
from reactor.audit.query.filters import Filters
from reactor.audit.query.pages import Paged
from reactor.audit.row import Row
from reactor.errors import ReactorError

_BATCH: Final = 1000
_RING: Final = 4000
"""Rows that are held for readers that keep up."""
_AGAIN: Final = 1.0
"""Seconds after the log couldn't be read."""


class Behind(Protocol):
    """Reads the newest rows again and again."""

    async def rows(self, position: int, *, most: int) -> Sequence[Row]: ...

    async def close(self) -> None: ...


class Log(Paged, Protocol):
    """A Reader, as far as it is needed here."""

    def behind(self) -> Behind: ...

    async def entry(self, run: str, seq: int) -> Row | None: ...


class Feed:
    """Holds each new row once while somebody follows, and nothing while nobody does.

    The journal gives the rows it wrote; what lies before them, or between, is read from the log.
    """

    def __init__(self, *, log: Log) -> None:
        self._log = log
        self._ring: deque[Row] = deque(maxlen=_RING)
        self._newest = 0
        self._current = False
        self._committed = asyncio.Event()
        self._news = asyncio.Event()
        self._followers = 0
        self._followed = asyncio.Event()

    @property
    def followed(self) -> bool:
        """Whether anybody wants to see rows."""
        return self._followers > 0

    def committed(self, rows: Sequence[Row] = ()) -> None:
        """Rows were committed: these, or those that are to be read."""
        if not self.followed:
            return
        if not rows or rows[0].position > self._newest + 1:
            self._committed.set()
        else:
            self._add(rows)
            self._current = True

    async def run(self) -> None:
        """For ever; cancel it to end it."""
        while True:
            await self._followed.wait()
            behind = self._log.behind()
            try:
                while self._followers:
                    await self._committed.wait()
                    self._committed.clear()
                    await self._read(behind)
            except ReactorError:
                self._current = False
                # Whoever follows is told when it reads for itself.
                await asyncio.sleep(_AGAIN)
                self._committed.set()
            finally:
                await behind.close()

    async def _read(self, behind: Behind) -> None:
        full = True
        while full:
            rows = await behind.rows(self._newest, most=_BATCH)
            self._add(rows)
            full = len(rows) == _BATCH
        self._current = True

    def _add(self, rows: Sequence[Row]) -> None:
        """Rows that follow the newest one, but for those that are known already."""
        fresh = [row for row in rows if row.position > self._newest]
        if fresh:
            if self._ring and fresh[0].position != self._ring[-1].position + 1:
                self._ring.clear()  # retention was there first: no row is found by counting then
            self._ring.extend(fresh)
            self._newest = fresh[-1].position
            news, self._news = self._news, asyncio.Event()
            news.set()

    async def _page(self, position: int) -> Sequence[Row]:
        cursor = str(Cursor(position, above=True))
        page = await self._log.entries(Filters(), limit=_BATCH, order="oldest", cursor=cursor)
        return page.entries

    async def newest(self) -> int:
        """The position that a follower begins behind when it wants what comes from now on."""
        if self.followed and self._current:
            return self._newest
        page = await self._log.entries(Filters(), limit=1)
        return page.entries[0].position if page.entries else 0

    async def position(self, run: str, seq: int) -> int | None:
        """Where a row is in this log; an archive's positions are its own."""
        row = self._held(run, seq) or await self._log.entry(run, seq)
        return None if row is None else row.position

    def _held(self, run: str, seq: int) -> Row | None:
        """A row of the newest run; as positions, its numbers have no holes."""
        if not self._ring:
            return None
        before = self._ring[-1].seq - seq
        if not 0 <= before < len(self._ring):
            return None
        row = self._ring[-1 - before]
        return row if (row.run, row.seq) == (run, seq) else None

    def join(self, position: int) -> None:
        """Somebody follows from here on; `leave` when it is over."""
        if not self._followers:
            self._ring.clear()
            self._current = False
            self._newest = max(self._newest, position)
            self._followed.set()
            self._committed.set()
        self._followers += 1

    def leave(self) -> None:
        """One follower less."""
        self._followers -= 1
        if not self._followers:
            self._followed.clear()
            self._committed.set()  # so that the file is let go

    async def after(self, position: int, *, patience: float) -> Sequence[Row]:
        """The rows behind ``position``, some at a time; empty when none came for so long.

        Raises ReactorError when the log can't be read.
        """
        if position >= self._newest:
            news = self._news
            try:
                async with asyncio.timeout(patience):
                    await news.wait()
            except TimeoutError:
                return ()
        ring = self._ring
        if ring and ring[0].position <= position + 1:
            # Positions have no holes.
            start = position + 1 - ring[0].position
            return [ring[index] for index in range(start, min(start + _BATCH, len(ring)))]
        return await self._page(position)
