"""The newest rows, again and again on one connection: opening one takes longer than reading."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from reactor.audit import engine, file, fresh
from reactor.audit.engine import Connection
from reactor.audit.row import Row
from reactor.audit.trouble import explain


class Behind:
    """Open from the first question until `close`; a replaced file is noticed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: Connection | None = None
        self._identity: file.Identity | None = None

    async def rows(self, position: int, *, most: int) -> Sequence[Row]:
        """The oldest rows behind the position. Raises ReactorError when they can't be read."""
        try:
            return await (await self._opened()).run(fresh.behind, position, most)
        except sqlite3.Error as error:
            await self.close()
            raise explain(error, self._path) from error

    async def close(self) -> None:
        """Let go of the file."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _opened(self) -> Connection:
        identity = file.identity(self._path)
        if self._connection is None or identity != self._identity:
            await self.close()
            self._connection = await Connection.open(engine.reader(self._path))
            self._identity = identity
        return self._connection
