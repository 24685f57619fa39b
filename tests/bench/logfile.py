"""The audit log's file, read from beside: what is in it, and since when."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from pathlib import Path
from typing import Self

_LOOK = 0.002
_QUIET = 1.0


class Logfile:
    """Notes the rows that are committed from now on; `follow` as a task, then ``came``."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
        (self._position,) = self._one("SELECT ifnull(max(position), 0) FROM entries")
        self.came: dict[str, tuple[float, float]] = {}
        """By the row's id, in the log's order: its own time, and when it was in the file, both in
        seconds since 1970; the second is at most a look and a half late."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    async def follow(self) -> None:
        """For ever; cancel it to end it."""
        version = -1
        while True:
            (now,) = self._one("PRAGMA data_version")
            if now != version:
                version = now
                self._read()
            await asyncio.sleep(_LOOK)

    async def rest(self) -> str:
        """Return once no row has come for a second, with the newest row's id."""
        count, since = -1, time.monotonic()
        while time.monotonic() < since + _QUIET:
            await asyncio.sleep(_LOOK)
            if len(self.came) != count:
                count, since = len(self.came), time.monotonic()
        return next(reversed(self.came))

    def _read(self) -> None:
        rows = self._connection.execute(
            "SELECT position, run, seq, at FROM entries WHERE position > ? ORDER BY position",
            (self._position,),
        ).fetchall()
        now = time.time()
        for position, run, seq, at in rows:
            self._position = position
            self.came[f"{run}.{seq}"] = at / 1_000_000, now

    def _one(self, sql: str) -> tuple[int]:
        found: tuple[int] = self._connection.execute(sql).fetchone()
        return found
