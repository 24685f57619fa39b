"""Keeps the log within its age and size, a little at a time."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Final

import msgspec

from reactor.audit.index.schema import beside
from reactor.audit.keeper import Keeper
from reactor.audit.ledger import Cut, Ledger, Start
from reactor.audit.row import DIGEST

CHUNK: Final = 200
"""Rows that go in one transaction."""
PAUSE: Final = 0.03
"""Seconds between two such transactions, at least, unless rows come faster still; and"""
LEISURE: Final = 0.15
"""at most while rows are written: whoever waits for a commit waits for one of these, too."""
AT_ONCE: Final = 8
"""Such transactions in a row, at most, when rows come faster than that would remove them."""
PERIOD: Final = 60.0
"""Seconds between looks at the oldest row."""
GLANCE: Final = 1.0
"""Seconds between looks at the size, while rows are written."""
HIGH: Final = 0.9
LOW: Final = 0.8
"""Purging begins at this share of the size and goes down to that one; the rest is the WAL's."""
LONGEST_WAL: Final = 64 << 20
"""Bytes that the WAL may keep, however large the log may be; checkpoints begin well before."""
RECENT: Final = 100
"""Rows that stay whatever the size."""


class Retention(msgspec.Struct, frozen=True):
    """How long rows are kept, in seconds, and how large the log may become, in bytes."""

    age: float = 30 * 86400.0
    size: int = 1 << 30


class Sweeper:
    """Called by the writer between two groups; each call takes a few milliseconds at most."""

    def __init__(self, retention: Retention) -> None:
        self._retention = retention
        self._due = 0.0
        self._glanced = 0.0
        self._seen = -1
        self._condemned = -1
        self._swept = (0.0, 0)

    async def sweep(self, keeper: Keeper, now: int) -> bool:
        """Do a little if it is time; whether there is more. ``now`` is microseconds UTC."""
        if time.monotonic() < self._due and not await self._outgrown(keeper):
            return False
        more = True
        for _ in range(self._steps(keeper.ledger.tail.position)):
            more = more and await keeper.run(self._step, keeper.ledger, now)
        self._due = time.monotonic() + (
            self._pause(keeper.ledger.tail.position) if more else PERIOD
        )
        return more

    def _steps(self, position: int) -> int:
        """As many as remove twice as many rows as were written during a pause."""
        before, last = self._swept
        if time.monotonic() > before + 1.0:
            return 1  # that was no pause
        return min(max(1, 2 * (position - last) // CHUNK), AT_ONCE)

    def _pause(self, position: int) -> float:
        """Short enough to remove twice as many rows as are written."""
        before, last = self._swept
        self._swept = time.monotonic(), position
        if position <= last:
            return PAUSE  # nobody is in the way
        seconds = (self._swept[0] - before) * CHUNK / 2 / (position - last)
        return min(max(min(PAUSE, seconds * AT_ONCE / 2), seconds), LEISURE)

    @property
    def wait(self) -> float:
        """Seconds until the next call has something to do."""
        return max(0.0, self._due - time.monotonic())

    async def _outgrown(self, keeper: Keeper) -> bool:
        """Whether rows written since the last look have made the log too large."""
        position = keeper.ledger.tail.position
        if position == self._seen or time.monotonic() < self._glanced + GLANCE:
            return False
        self._glanced, self._seen = time.monotonic(), position
        return await keeper.run(self._too_large)

    def _too_large(self, connection: sqlite3.Connection) -> bool:
        # Here, since the connection may be a new one.
        wal = min(LONGEST_WAL, int(self._retention.size * (1 - HIGH)))
        connection.execute(f"PRAGMA journal_size_limit={wal}")
        pages = wal // _page_size(connection) * 5 // 8
        connection.execute(f"PRAGMA wal_autocheckpoint={max(100, pages)}")
        return _used(connection) > self._retention.size * HIGH

    def _step(self, connection: sqlite3.Connection, ledger: Ledger, now: int) -> bool:
        if self._condemned < 0:
            found = last_cut(connection)
            self._condemned = found.position if found is not None else 0
        if self._remove(connection, ledger):
            return True
        cut = self._choose(connection, now)
        if cut is None:
            return False
        ledger.purge(connection, cut, now)
        self._condemned = cut.position
        return True

    def _remove(self, connection: sqlite3.Connection, ledger: Ledger) -> bool:
        rows = connection.execute(
            "SELECT position, run, documents FROM entries WHERE position <= ?"
            " ORDER BY position LIMIT ?",
            (self._condemned, CHUNK),
        ).fetchall()
        if not rows:
            return False
        last = rows[-1][0]
        digests = sorted(
            {
                documents[at : at + DIGEST]
                for _, _, documents in rows
                for at in range(0, len(documents), DIGEST)
            }
        )
        connection.execute("BEGIN IMMEDIATE")
        try:
            # Few statements, not many small ones: see `statements`.
            for start in range(0, len(digests), CHUNK):
                some = digests[start : start + CHUNK]
                connection.execute(
                    "DELETE FROM refs WHERE position <= ? AND document IN"
                    f" (SELECT id FROM documents WHERE digest IN ({', '.join('?' * len(some))}))",
                    (last, *some),
                )
            connection.execute("DELETE FROM entries WHERE position <= ?", (last,))
            for start in range(0, len(digests), CHUNK):
                some = digests[start : start + CHUNK]
                connection.execute(
                    f"DELETE FROM documents WHERE digest IN ({', '.join('?' * len(some))})"
                    " AND NOT EXISTS (SELECT 1 FROM refs WHERE refs.document = documents.id)",
                    some,
                )
            for run in sorted({row[1] for row in rows}):
                connection.execute(
                    "DELETE FROM runs WHERE id = ?1"
                    " AND NOT EXISTS (SELECT 1 FROM entries WHERE run = ?1)",
                    (run,),
                )
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        ledger.forget(digests)
        return True

    def _choose(self, connection: sqlite3.Connection, now: int) -> Cut | None:
        oldest, newest = connection.execute(
            "SELECT min(position), max(position) FROM entries"
        ).fetchone()
        if oldest is None:
            return None
        position = max(self._too_old(connection, now), self._too_much(connection, oldest, newest))
        position = min(position, newest - 1)
        # A purge is a row itself: one that removes nothing but such rows would never end.
        worthwhile = connection.execute(
            "SELECT 1 FROM entries WHERE position BETWEEN ? AND ? AND kind <> 'purged' LIMIT 1",
            (oldest, position),
        ).fetchone()
        return _cut(connection, oldest, position) if worthwhile else None

    def _too_old(self, connection: sqlite3.Connection, now: int) -> int:
        limit = now - int(self._retention.age * 1_000_000)
        # The newest of the rows that are older; the clock may have been set back in between.
        kept = connection.execute(
            "SELECT position FROM entries WHERE at >= ? ORDER BY at, position LIMIT 1", (limit,)
        ).fetchone()
        if kept is None:
            return int(connection.execute("SELECT max(position) FROM entries").fetchone()[0])
        return int(kept[0]) - 1

    def _too_much(self, connection: sqlite3.Connection, oldest: int, newest: int) -> int:
        used = _used(connection)
        if used <= self._retention.size * HIGH:
            return 0
        share = 1 - self._retention.size * LOW / used
        return min(oldest + int((newest - oldest) * share), newest - RECENT)


def _used(connection: sqlite3.Connection) -> int:
    """Bytes of the file that hold something, and of the search index beside it."""
    pages, free = (
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_count", "freelist_count")
    )
    return int(pages - free) * _page_size(connection) + _index_size(connection)


def _index_size(connection: sqlite3.Connection) -> int:
    # It grows and shrinks with the log.
    _, _, path = connection.execute("PRAGMA database_list").fetchone()
    try:
        return beside(Path(path)).stat().st_size
    except OSError:
        return 0


def _page_size(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA page_size").fetchone()[0])


def last_cut(connection: sqlite3.Connection) -> Cut | None:
    """Where the log was cut last, or None when nothing was ever removed."""
    found = connection.execute(
        "SELECT detail FROM entries WHERE kind = 'purged' ORDER BY position DESC LIMIT 1"
    ).fetchone()
    return msgspec.json.decode(found[0], type=Cut) if found is not None else None


def _cut(connection: sqlite3.Connection, oldest: int, position: int) -> Cut:
    run, seq, digest, last = connection.execute(
        "SELECT run, seq, hash, at FROM entries WHERE position = ?", (position,)
    ).fetchone()
    (first,) = connection.execute("SELECT at FROM entries WHERE position = ?", (oldest,)).fetchone()
    start = Start(
        *connection.execute(
            "SELECT started, version, host, settings, cluster_domain FROM runs WHERE id = ?",
            (run,),
        ).fetchone()
    )
    return Cut(position, run, seq, digest.hex(), position - oldest + 1, first, last, start)
