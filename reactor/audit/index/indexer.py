"""Keeps the search index up to the log, beside its writer and never in its way."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from pathlib import Path
from typing import Final

from reactor.audit import engine
from reactor.audit.engine import Connection
from reactor.audit.index import builder
from reactor.audit.index.schema import beside
from reactor.audit.pace import Pace, measured
from reactor.audit.trouble import explain

LOOK: Final = 0.2
"""Seconds between looks at the log while nothing new is in it."""
AGAIN: Final = 10.0
"""Seconds after a failure."""

log = logging.getLogger(__name__)


class Indexer:
    """`run` it as a task; cancelling it is its end. What it fails at is logged, once."""

    def __init__(self, *, url: str, pace: Pace | None = None) -> None:
        self._path: Path = engine.location(url)
        self._pace = pace or Pace()
        self._said = ""

    async def run(self) -> None:
        """For ever. Nothing that fails here ends anything else."""
        while True:
            try:
                try:
                    await self._follow()
                except sqlite3.Error as error:
                    self._failed(error)
            except Exception as error:
                # For instance at a row that the adaptor didn't write so.
                if str(error) != self._said:
                    self._said = str(error)
                    log.exception("search index: a fault of the program; searching without it")
            await asyncio.sleep(AGAIN)

    async def _follow(self) -> None:
        connection = await self._open()
        try:
            while True:
                await self._caught_up(connection)
                await asyncio.sleep(LOOK)
        finally:
            await connection.close()

    async def _caught_up(self, connection: Connection) -> None:
        more = True
        with self._pace.reading():
            while more:
                more, worked = await connection.run(measured, builder.step)
                self._said = ""
                if more:
                    await self._pace.rest(worked)

    async def _open(self) -> Connection:
        index = beside(self._path)
        connection = await Connection.open(engine.index(index))
        try:
            await connection.run(builder.attach, engine.uri(self._path, "ro"))
            await connection.run(builder.prepare)
        except BaseException:
            await connection.close()
            raise
        return connection

    def _failed(self, error: sqlite3.Error) -> None:
        """A damaged index is made anew; for anything else waiting may help."""
        index = beside(self._path)
        said = explain(error, index)
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED:
            for suffix in ("", "-wal", "-shm"):
                index.with_name(index.name + suffix).unlink(missing_ok=True)
        if str(said) != self._said:
            self._said = str(said)
            log.warning("search index: %s; searching the log without it", said)


_DAMAGED: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
