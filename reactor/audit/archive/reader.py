"""Asks the archive, each question within a time, on few connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final, TypeVar

import asyncpg

from reactor.audit.archive import database
from reactor.audit.archive.figures import figures
from reactor.audit.archive.proof import Proof
from reactor.audit.archive.schema import HEAD
from reactor.audit.archive.store import ArchiveStore
from reactor.audit.archive.verdict import ArchiveVerdict
from reactor.audit.chain import Anchor
from reactor.audit.query import pages
from reactor.audit.query.cursor import Cursor
from reactor.audit.query.export import Format, exported
from reactor.audit.query.filters import Filters, Order
from reactor.audit.query.pages import Page
from reactor.audit.query.position import LOWEST
from reactor.audit.query.records import Run
from reactor.audit.query.stats import Stats
from reactor.audit.row import Row
from reactor.audit.slots import Slots

T = TypeVar("T")

PATIENCE: Final = 5.0
"""Seconds that an answer may take."""
CONNECTIONS: Final = 4
_NAMED: Final = 50
"""Clusters that an error names."""

_PLANNER: Final = {
    # Whatever it believes of the tables' sizes: every question is made for an index.
    **{f"enable_{way}": "off" for way in ("seqscan", "bitmapscan", "hashjoin", "mergejoin")},
    # A plan for any values doesn't know which index rules out most, and takes the wrong one.
    "plan_cache_mode": "force_custom_plan",
    # Of a plan over many months the server thinks that it is worth being compiled, or shared.
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
}
_CLUSTERS: Final = """
SELECT version_num, name, id FROM alembic_version LEFT JOIN clusters ON true
"""


class ArchiveReader:
    """One cluster's rows. `close` it when it is no longer asked."""

    def __init__(self, *, url: str, cluster: str) -> None:
        self._url = url
        self._name = cluster
        self._free: list[database.Connection] = []
        self._slots = Slots(CONNECTIONS)

    async def entries(
        self,
        filters: Filters,
        *,
        limit: int = 100,
        order: Order = "newest",
        cursor: str | None = None,
    ) -> Page:
        """One page, the order that of time. Raises ValueError for a bad limit, text or cursor,
        ReactorError when the archive can't be read or takes longer than 5 s.
        """
        begin = None if cursor is None else Cursor.parse(cursor)
        if begin is not None and begin.position < LOWEST:
            raise ValueError("cursor is of a local log; leave it out to begin anew")

        async def read(store: ArchiveStore) -> Page:
            return await pages.page(store, filters, limit=limit, order=order, cursor=begin)

        return await self._ask(read)

    async def export(self, filters: Filters, form: Format) -> AsyncIterator[bytes]:
        """All rows there are now that pass, in the order of time, and a last line that says
        whether they are all there. Raises as `entries` does, at its beginning.
        """
        filters.wanted()
        try:
            async with self._slots.take(), self._connected() as connection:
                store = ArchiveStore(connection, cluster=await self._cluster(connection))
                async for part in exported(store, filters, form):
                    yield part
        except database.ERRORS as error:
            raise database.explain(error, self._url) from error

    async def entry(self, run: str, seq: int) -> Row | None:
        """One row, None when there is none."""
        return await self._ask(lambda store: store.entry(run, seq))

    async def document(self, digest: bytes) -> str | None:
        """An object's JSON, None when nothing refers to it any more."""
        return await self._ask(lambda store: store.document(digest))

    async def documents(self, digests: Sequence[bytes]) -> dict[bytes, str]:
        """Those of them that are there."""
        return await self._ask(lambda store: store.documents(digests))

    async def runs(self) -> list[Run]:
        """All of them, the newest first."""
        return await self._ask(lambda store: store.runs())

    async def stats(self) -> Stats:
        """How much there is, of this cluster and of all."""
        return await self.asked(
            lambda connection, cluster: figures(connection, cluster, self._name)
        )

    async def verify(self, *anchors: Anchor) -> ArchiveVerdict:
        """Prove all rows, each log's chain by itself; see `Proof`. However long that takes."""
        try:
            async with self._slots.take(), self._connected() as connection:
                cluster = await self._cluster(connection)
                return await Proof(connection, cluster=cluster, anchors=anchors).verdict()
        except database.ERRORS as error:
            raise database.explain(error, self._url) from error

    async def close(self) -> None:
        """Let go of the connections."""
        while self._free:
            self._free.pop().terminate()

    async def _ask(self, question: Callable[[ArchiveStore], Awaitable[T]]) -> T:
        return await self.asked(
            lambda connection, cluster: question(ArchiveStore(connection, cluster=cluster))
        )

    async def asked(self, question: Callable[[database.Connection, int], Awaitable[T]]) -> T:
        """The answer to a question about the cluster with this number, in one transaction."""
        try:
            async with (
                # Who waits for others hears of them, and doesn't blame the archive.
                self._slots.take(patience=PATIENCE),
                asyncio.timeout(PATIENCE),
                self._connected() as connection,
                # What is seen is fixed: rows that come later don't belong to this page.
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                return await question(connection, await self._cluster(connection))
        except database.ERRORS as error:
            raise database.explain(error, self._url) from error

    async def _cluster(self, connection: database.Connection) -> int:
        try:
            found = await connection.fetch(_CLUSTERS)
        except asyncpg.UndefinedTableError:
            found = []
        version = found[0][0] if found else None
        clusters: dict[str, int] = {name: number for _, name, number in found if name is not None}
        if version == HEAD and self._name in clusters:
            return clusters[self._name]
        if version not in (None, HEAD):
            what = f"has schema {version}, of another release than this one, which knows {HEAD}"
        elif clusters:
            others = ", ".join(sorted(clusters)[:_NAMED])
            what = f"has no rows of cluster {self._name}; name one that it has: {others}"
        else:
            what = "has no rows of any cluster: no adaptor copied to it yet"
        raise database.Away(self._url, what)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[database.Connection]:
        connection = None
        while self._free and (connection is None or connection.is_closed()):
            connection = self._free.pop()
        if connection is None or connection.is_closed():
            connection = await database.connect(self._url, patience=PATIENCE, settings=_PLANNER)
        try:
            yield connection
        except BaseException:
            # What it is in the middle of isn't known.
            connection.terminate()
            raise
        self._free.append(connection)
