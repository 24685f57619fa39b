"""The archive where it answers, else the local log: one of them for each question."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Final, Protocol, TypeVar

import msgspec

from reactor.audit.archive.reader import ArchiveReader
from reactor.audit.chain import Anchor, Verdict
from reactor.audit.query import Filters, Order, Page, Reader, Run
from reactor.audit.query.archived import Lag
from reactor.audit.query.cursor import Cursor
from reactor.audit.query.export import Format
from reactor.audit.query.position import LOWEST
from reactor.audit.query.stats import Stats
from reactor.audit.row import Row
from reactor.audit.trouble import Crowded, Unavailable
from reactor.errors import ReactorError

T = TypeVar("T")

AGAIN: Final = 5.0
"""Seconds after a question that the archive failed at, in which it isn't asked."""


class Shipping(Protocol):
    """What is known of the way to the archive."""

    @property
    def trouble(self) -> str | None: ...

    @property
    def lag_rows(self) -> int: ...

    @property
    def lag_seconds(self) -> float: ...


class Logs:
    """All runs of all replicas while the archive can be asked; this log's own, when it can't."""

    def __init__(self, *, archive: ArchiveReader, local: Reader, shipping: Shipping) -> None:
        self._archive = archive
        self._local = local
        self._shipping = shipping
        self._again = 0.0

    def source(self) -> str:
        """Who answers now, and how far the archive is behind: ``archive; lag-rows=3; ...``."""
        if not self._reachable():
            return f"local; archive-lacks-rows={self._shipping.lag_rows}"
        rows, seconds = self._shipping.lag_rows, self._shipping.lag_seconds
        return f"archive; lag-rows={rows}; lag-seconds={seconds:.1f}" if rows else "archive"

    async def entries(
        self,
        filters: Filters,
        *,
        limit: int = 100,
        order: Order = "newest",
        cursor: str | None = None,
    ) -> Page:
        """As `Reader.entries`; a cursor leads on whichever of the two gave it."""

        async def archived() -> Page:
            return await self._archive.entries(
                filters, limit=limit, order=order, cursor=await self._archived(cursor)
            )

        return await self._either(
            archived,
            lambda: self._local.entries(filters, limit=limit, order=order, cursor=cursor),
        )

    async def entry(self, run: str, seq: int) -> Row | None:
        """One row, the local log's if it isn't shipped yet."""
        found = await self._either(lambda: self._archive.entry(run, seq), _nothing)
        return found if found is not None else await self._local.entry(run, seq)

    async def document(self, digest: bytes) -> str | None:
        """An object's JSON, None when nothing refers to it any more."""
        return (await self.documents([digest])).get(digest)

    async def documents(self, digests: Sequence[bytes]) -> dict[bytes, str]:
        """Those of them that are there."""
        found = await self._either(lambda: self._archive.documents(digests), _none)
        missing = [digest for digest in digests if digest not in found]
        return {**found, **(await self._local.documents(missing) if missing else {})}

    async def export(self, filters: Filters, form: Format) -> AsyncIterator[bytes]:
        """All rows that pass, as text in parts."""
        if self._reachable():
            begun = False
            try:
                async for part in self._archive.export(filters, form):
                    begun = True
                    yield part
            except Crowded:
                raise
            except ReactorError:
                self._again = time.monotonic() + AGAIN
                if begun:
                    raise
            else:
                return
        async for part in self._local.export(filters, form):
            yield part

    async def runs(self) -> Sequence[Run]:
        """All of them, the newest first."""
        return await self._either(self._archive.runs, self._local.runs)

    async def stats(self) -> Stats:
        """Of the local log, with what the archive has, and how far behind that is."""
        shipping = self._shipping
        lag = Lag(shipping.lag_rows, shipping.lag_seconds, shipping.trouble)
        archived = await self._either(self._archive.stats, _unknown)
        return msgspec.structs.replace(
            await self._local.stats(),
            archive=None if archived is None else archived.archive,
            lag=lag,
        )

    async def verify(self, *anchors: Anchor) -> Verdict:
        """The archive's rows, all logs; while it can't be asked, the local log's, which has no
        rows of other replicas that an anchor may name.
        """
        if not self._reachable():
            if anchors:
                raise Unavailable("the archive can't be asked, which has the rows of all anchors")
            return await self._local.verify()
        try:
            return await self._archive.verify(*anchors)
        except Crowded:
            raise
        except ReactorError:
            # Not the local log's verdict instead: nobody would know whose it is.
            self._again = time.monotonic() + AGAIN
            raise

    def _reachable(self) -> bool:
        return self._shipping.trouble is None and time.monotonic() >= self._again

    async def _either(
        self, archived: Callable[[], Awaitable[T]], local: Callable[[], Awaitable[T]]
    ) -> T:
        if self._reachable():
            try:
                return await archived()
            except Crowded:
                raise  # which is no fault of the archive, nor is there more room elsewhere
            except ReactorError:
                self._again = time.monotonic() + AGAIN
        return await local()

    async def _archived(self, cursor: str | None) -> str | None:
        if cursor is None:
            return None
        begin = Cursor.parse(cursor)
        if begin.position >= LOWEST:
            return cursor
        return str(Cursor(await self._local.place(begin.position), begin.above))


async def _nothing() -> None:
    return None


async def _unknown() -> Stats | None:
    return None


async def _none() -> dict[bytes, str]:
    return {}
