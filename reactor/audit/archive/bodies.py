"""Whether the documents that rows refer to are there, as they were."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256
from typing import Any, Final

from reactor.audit.archive.database import Connection
from reactor.audit.archive.links import Broken
from reactor.audit.archive.months import months
from reactor.audit.row import Row

_AT_ONCE: Final = 100
"""Documents in memory."""
_SEEN: Final = 50_000
"""Documents that are known to be good; beyond that some are read again."""
_BODIES: Final = """
SELECT d.digest, d.at, d.body FROM unnest($2::bytea[], $3::bigint[]) AS k (digest, at)
JOIN documents AS d ON d.cluster = $1 AND d.digest = k.digest AND d.at = k.at
"""


class Bodies:
    """Each one is in every month that has a row referring to it."""

    def __init__(self, connection: Connection, *, cluster: int) -> None:
        self._connection = connection
        self._cluster = cluster
        self._good: set[tuple[bytes, int]] = set()

    async def prove(self, rows: Sequence[Row], there: Callable[[int], Awaitable[bool]]) -> None:
        """Raise Broken for the first row that lacks one; ``there``: whether a month is."""
        if len(self._good) > _SEEN:
            self._good.clear()
        begins = [month.begin for month in months(row.at for row in rows)]
        pairs = {
            (digest, begin)
            for row, begin in zip(rows, begins, strict=True)
            for digest in row.digests
        }
        wanted = sorted(pairs - self._good)
        for at in range(0, len(wanted), _AT_ONCE):
            piece = wanted[at : at + _AT_ONCE]
            digests, moments = zip(*piece, strict=True)
            found = await self._connection.fetch(_BODIES, self._cluster, digests, moments)
            self._good |= await asyncio.to_thread(_intact, found)
        if not pairs <= self._good:
            for row, begin in zip(rows, begins, strict=True):
                for digest in row.digests:
                    if (digest, begin) not in self._good and await there(begin):
                        raise Broken(
                            f"document {digest.hex()} of row {row.run}:{row.seq} is missing or"
                            " edited"
                        )


def _intact(found: Sequence[Any]) -> set[tuple[bytes, int]]:
    return {
        (bytes(digest), at)
        for digest, at, body in found
        if sha256(body.encode()).digest() == digest
    }
