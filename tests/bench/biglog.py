"""The long log that questions are asked of: made once, and kept beside the bench's results."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import msgspec

from reactor.audit import engine
from reactor.audit.index.schema import beside
from tests.bench import longlog
from tests.unit.audit.indexing import catch_up


class Made(msgspec.Struct, frozen=True):
    """How long it took, in seconds: None when it was there already."""

    log: float | None
    index: float | None


class BigLog:
    """``rows`` of them under ``folder``, with the search index."""

    def __init__(self, *, folder: Path, rows: int) -> None:
        self.path = folder / f"long-{longlog.FORMAT}-{rows}.sqlite"
        self._rows = rows

    def make(self) -> Made:
        """What isn't there yet."""
        log = index = None
        if not self.path.exists():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = self.path.with_suffix(".unfinished.sqlite")
            for file in self.path.parent.glob(f"{unfinished.name}*"):
                file.unlink()
            began = time.monotonic()
            longlog.write(unfinished, self._rows)
            log = time.monotonic() - began
            unfinished.rename(self.path)
        before = self._indexed()
        began = time.monotonic()
        asyncio.run(catch_up(self.path))
        if before != self._indexed():
            index = time.monotonic() - began
        return Made(log, index)

    def runs(self) -> list[str]:
        """Their ids."""
        with closing(sqlite3.connect(engine.uri(self.path, "ro"), uri=True)) as connection:
            return [run for (run,) in connection.execute("SELECT id FROM runs")]

    def sizes(self) -> tuple[float, float]:
        """Bytes of a row in the log, and in the index."""
        log, index = self.path.stat().st_size, beside(self.path).stat().st_size
        return log / self._rows, index / self._rows

    def cool(self) -> None:
        """Let the system forget what it holds of the files."""
        for file in (self.path, beside(self.path)):
            descriptor = os.open(file, os.O_RDONLY)
            try:
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(descriptor)

    def _indexed(self) -> tuple[object, ...] | None:
        try:
            with closing(
                sqlite3.connect(engine.uri(beside(self.path), "ro"), uri=True)
            ) as connection:
                found: tuple[object, ...] = connection.execute(
                    "SELECT user_version, progress.* FROM pragma_user_version, progress"
                ).fetchone()
                return found
        except sqlite3.Error:
            return None
