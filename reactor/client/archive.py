"""The archive in PostgreSQL: all runs and replicas of a cluster."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import NoReturn

from reactor.audit.archive.reader import ArchiveReader
from reactor.audit.chain import Anchor, Verdict
from reactor.audit.query.stats import Stats
from reactor.client.direct import Direct
from reactor.client.port import Query
from reactor.errors import Fatal


class _Log(ArchiveReader):
    """The archive with what it can't be asked."""

    async def stats(self) -> Stats:
        _refuse("stats")

    async def verify(self, anchor: Anchor | None = None) -> Verdict:
        _refuse("verify")


class Archive(Direct):
    """`close` it at the end. It lists, shows, tells and exports; the rest is refused (Fatal)."""

    def __init__(self, url: str, *, cluster: str) -> None:
        self._archive = _Log(url=url, cluster=cluster)
        super().__init__(self._archive)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._archive.close()

    async def get(self, path: str, places: Query, query: Query) -> bytes:
        """As `Port.get`."""
        if path == "/api/v1/stats":
            _refuse("stats")
        return await super().get(path, places, query)

    async def verify(self, anchor: str | None) -> bytes:
        """It has no chain of its own: each run's is in the log that it was written to."""
        _refuse("verify")

    async def tail(self, query: Query, after: str | None) -> AsyncGenerator[bytes, None]:
        """Rows of several replicas come late, between those that were there."""
        _refuse("tail")
        yield b""  # what makes it a generator


def _refuse(command: str) -> NoReturn:
    raise Fatal(
        f"{command} asks an adaptor or a SQLite file, not the archive: leave --db out, or give"
        " --url or a file",
        code=2,
    )
