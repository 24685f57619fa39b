"""Proves that the log is as it was written, or names the first place where it isn't."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Iterator
from hashlib import sha256
from typing import Final, NamedTuple

import msgspec

from reactor.audit import engine
from reactor.audit.engine import Connection
from reactor.audit.ledger import Start
from reactor.audit.link import GENESIS, link
from reactor.audit.retention import last_cut
from reactor.audit.row import COLUMNS, Row
from reactor.audit.trouble import explain

PAGE: Final = 500
"""Rows per read transaction: a long one lets the WAL grow."""
_SEEN: Final = 50_000
"""Documents that are known to be good; beyond that some are hashed again."""

_ANCHOR: Final = re.compile(r"([0-9a-f-]{36}):([0-9]{1,18}):([0-9a-f]{64})")
_SELECT: Final = f"SELECT {', '.join(COLUMNS)} FROM entries"


class Anchor(NamedTuple):
    """A row's place and hash, kept elsewhere: what alone shows that a tail was cut off."""

    run: str
    seq: int
    hash: str

    @classmethod
    def parse(cls, text: str) -> Anchor:
        """``RUN:SEQ:HASH`` as `verify` printed it; ValueError for anything else."""
        found = _ANCHOR.fullmatch(text)
        if found is None:
            raise ValueError(f"an anchor is RUN:SEQ:HASH as verify printed it, not {text!r}")
        return cls(found[1], int(found[2]), found[3])

    def __str__(self) -> str:
        return f"{self.run}:{self.seq}:{self.hash}"


class Verdict(msgspec.Struct, frozen=True):
    """``problem`` names the first thing that is wrong, or is None. ``rows`` were proved;
    ``anchor`` is the newest proved row, to be kept elsewhere (None for an empty log).
    """

    rows: int
    problem: str | None = None
    anchor: Anchor | None = None


class _Broken(Exception):
    """The chain doesn't hold here."""


async def verify(url: str, anchor: Anchor | None = None, *, pause: float = 0.0) -> Verdict:
    """Read the whole log. Raises ReactorError when it can't be read at all.

    It may be written to meanwhile; ``pause`` is between pages, in seconds. Without an anchor a
    cut-off tail can't be told from a log that ends there.
    """
    path = engine.location(url)
    try:
        connection = await Connection.open(engine.reader(path))
        try:
            walk = _Walk(anchor)
            try:
                await connection.run(walk.begin)
                while not await connection.run(walk.finish):
                    await connection.run(walk.page)
                    await asyncio.sleep(pause)
            except _Broken as broken:
                return Verdict(walk.rows, str(broken), walk.anchor)
            return Verdict(walk.rows, None, walk.anchor)
        finally:
            await connection.close()
    except sqlite3.Error as error:
        raise explain(error, path) from error


class _Walk:
    """From the cut to the newest row, a page at a time."""

    def __init__(self, anchor: Anchor | None) -> None:
        self.rows = 0
        self._wanted = anchor
        self._met = anchor is None
        self._position = 0
        self._run = ""
        self._seq = 0
        self._hash = GENESIS
        self._at = 0
        self._kind = ""
        self._cut = ("", 0)
        self._good: set[bytes] = set()

    @property
    def anchor(self) -> Anchor | None:
        """The newest row that was proved."""
        return Anchor(self._run, self._seq, self._hash.hex()) if self.rows else None

    def begin(self, connection: sqlite3.Connection) -> None:
        """From the newest cut: what is before it is condemned, whether gone yet or not."""
        cut = last_cut(connection)
        if cut is None:
            return
        self._position, self._run, self._seq = cut.position, cut.run, cut.seq
        self._hash = bytes.fromhex(cut.hash)
        self._at, self._kind = cut.last, ""
        self._cut = (cut.run, cut.seq)
        if connection.execute(
            "SELECT 1 FROM entries WHERE run = ? AND seq > ? LIMIT 1", (cut.run, cut.seq)
        ).fetchone():
            _check_start(connection, cut.run, cut.start)
        if self._wanted is not None and (self._wanted.run, self._wanted.seq) <= self._cut:
            if (self._wanted.run, self._wanted.seq) == self._cut:
                self._meet(cut.hash)
            self._met = True

    def page(self, connection: sqlite3.Connection) -> None:
        """Prove the next rows."""
        connection.execute("BEGIN")
        try:
            found = [
                Row(*values)
                for values in connection.execute(
                    f"{_SELECT} WHERE position > ? ORDER BY position LIMIT ?",
                    (self._position, PAGE),
                )
            ]
            if found and found[0].position != self._position + 1:
                # Retention may have cut further since.
                cut = last_cut(connection)
                if cut is not None and cut.position > self._position:
                    self.begin(connection)
                    return
            for row in found:
                self._prove(connection, row)
            self._prove_documents(connection, found)
        finally:
            connection.execute("ROLLBACK")

    def _prove(self, connection: sqlite3.Connection, row: Row) -> None:
        name = f"row {row.run}:{row.seq}"
        if row.run == self._run:
            if row.seq != self._seq + 1:
                raise _Broken(f"{name} follows seq {self._seq}: rows between are missing or moved")
        else:
            if row.run <= self._run:
                raise _Broken(f"{name} stands behind the later run {self._run}")
            if row.seq != 1:
                raise _Broken(f"{name} is the first of its run: the rows before it are missing")
            self._ended(connection, newest=False)
        if row.position != self._position + 1:
            raise _Broken(f"{name} stands at position {row.position}, not {self._position + 1}")
        values = msgspec.structs.astuple(row)
        if link(self._hash, values[:-1]) != row.hash:
            raise _Broken(f"{name} isn't what was written, or the row before it is missing")
        if row.seq == 1:
            if row.kind != "started":
                raise _Broken(f"{name} begins a run but is no `started` row")
            _check_start(connection, row.run, msgspec.json.decode(row.detail, type=Start))
        self._position, self._run, self._seq = row.position, row.run, row.seq
        self._hash, self._at, self._kind = row.hash, row.at, row.kind
        self.rows += 1
        if self._wanted is not None and (row.run, row.seq) == self._wanted[:2]:
            self._meet(row.hash.hex())

    def _meet(self, found: str) -> None:
        assert self._wanted is not None
        if found != self._wanted.hash:
            raise _Broken(f"row {self._run}:{self._seq} has another hash than the anchor")
        self._met = True

    def _ended(self, connection: sqlite3.Connection, *, newest: bool) -> None:
        """The run that was walked to its end: its `ended` and `cut` are what its rows say."""
        if not self._run:
            return
        found = connection.execute(
            "SELECT ended, cut FROM runs WHERE id = ?", (self._run,)
        ).fetchone()
        if found is None:
            if not self._kind:
                return  # all of its rows are gone, and it with them
            raise _Broken(f"run {self._run} is missing")
        ended, cut = found
        expected = self._cut[1] if self._run == self._cut[0] else 0
        if cut != expected:
            raise _Broken(f"run {self._run} says that it was cut at {cut}, not {expected}")
        open_end = newest or self._kind != "stopped"
        if self._kind == "stopped" and newest and ended is None:
            raise _Broken(f"run {self._run} stopped, but has no end")
        if ended != self._at and not (ended is None and open_end):
            raise _Broken(f"run {self._run} has another end than its last row")

    def _prove_documents(self, connection: sqlite3.Connection, rows: list[Row]) -> None:
        if len(self._good) > _SEEN:
            self._good.clear()
        wanted = sorted({digest for row in rows for digest in row.digests} - self._good)
        bad = set(wanted)
        for piece in _pieces(wanted):
            marks = ", ".join("?" * len(piece))
            for digest, body in connection.execute(
                f"SELECT digest, body FROM documents WHERE digest IN ({marks})", piece
            ):
                if sha256(body.encode() if isinstance(body, str) else body).digest() == digest:
                    bad.discard(digest)
        self._good.update(set(wanted) - bad)
        for row in rows:
            for digest in row.digests:
                if digest in bad:
                    raise _Broken(
                        f"document {digest.hex()} of row {row.run}:{row.seq} is missing or edited"
                    )
                if not connection.execute(
                    "SELECT 1 FROM refs WHERE digest = ? AND run = ? AND seq = ?",
                    (digest, row.run, row.seq),
                ).fetchone():
                    raise _Broken(
                        f"the reference of row {row.run}:{row.seq} to document {digest.hex()}"
                        " is missing"
                    )

    def finish(self, connection: sqlite3.Connection) -> bool:
        """The newest run, runs without rows, and the anchor; False when rows came meanwhile."""
        connection.execute("BEGIN")
        try:
            (newest,) = connection.execute("SELECT max(position) FROM entries").fetchone()
            if newest is not None and newest > self._position:
                return False
            self._ended(connection, newest=True)
            empty = connection.execute(
                "SELECT id FROM runs WHERE id > ?"
                " AND NOT EXISTS (SELECT 1 FROM entries WHERE run = runs.id) ORDER BY id LIMIT 1",
                (self._cut[0],),
            ).fetchone()
            if empty is not None:
                raise _Broken(f"the rows of run {empty[0]} are missing")
        finally:
            connection.execute("ROLLBACK")
        if not self._met:
            raise _Broken(f"the anchor {self._wanted} is no row: the log's tail was cut off")
        return True


def _check_start(connection: sqlite3.Connection, run: str, start: Start) -> None:
    found = connection.execute(
        "SELECT started, version, host, settings, cluster_domain FROM runs WHERE id = ?", (run,)
    ).fetchone()
    if found is None:
        raise _Broken(f"run {run} is missing")
    if Start(*found) != start:
        raise _Broken(f"run {run} isn't what was written when it started")


def _pieces(digests: list[bytes]) -> Iterator[list[bytes]]:
    for start in range(0, len(digests), PAGE):
        yield digests[start : start + PAGE]
