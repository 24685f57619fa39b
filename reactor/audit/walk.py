"""The chain, row by row, with the runs and documents that go with the rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from typing import Final

import msgspec

from reactor.audit.anchor import Anchor
from reactor.audit.broken import Broken, readable
from reactor.audit.ledger import Started
from reactor.audit.link import GENESIS, link
from reactor.audit.references import references
from reactor.audit.root import Root, root
from reactor.audit.row import COLUMNS, Row
from reactor.audit.runs import Runs

PAGE: Final = 100
"""Rows per read transaction: a long one lets the WAL grow."""
_SEEN: Final = 50_000
"""Documents that are known to be good; beyond that some are hashed again."""

_SELECT: Final = f"SELECT {', '.join(COLUMNS)} FROM entries"
_started = msgspec.json.Decoder(Started).decode


@contextmanager
def _reading(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")


class Walk:
    """From the cut to the newest row, a page at a time. Raises Broken."""

    def __init__(self, *anchors: Anchor) -> None:
        self.rows = 0
        self._wanted = {anchor[:2]: anchor for anchor in anchors}
        self._root = Root()
        self._position = 0
        self._run = ""
        self._seq = 0
        self._hash = GENESIS
        self._at = 0
        self._kind = ""
        self._runs = Runs(None)
        self._good: set[bytes] = set()

    @property
    def reached(self) -> Anchor | None:
        """The newest row that was proved."""
        return Anchor(self._run, self._seq, self._hash.hex()) if self.rows else None

    def begin(self, connection: sqlite3.Connection) -> None:
        """From the newest cut: what is before it is condemned, whether gone yet or not."""
        with _reading(connection):
            (newest,) = connection.execute("SELECT max(position) FROM entries").fetchone()
            self._enough = newest or 0
            self._begin(connection)

    def _begin(self, connection: sqlite3.Connection) -> None:
        self._root = root(connection)
        cut = self._root.cut
        if self._root.doubt:
            self._assume(connection)
            return
        self._runs = Runs(cut)
        if cut is not None:
            self._position, self._run, self._seq = cut.position, cut.run, cut.seq
            self._hash = bytes.fromhex(cut.hash)
            self._at, self._kind = cut.last, ""
            self._runs.begin(connection)
            self._meet(cut.hash)
            for named in [one for one in self._wanted if one < (cut.run, cut.seq)]:
                del self._wanted[named]
        count, low, high = connection.execute(
            "SELECT count(*), min(position), max(position) FROM entries WHERE position <= ?",
            (self._position,),
        ).fetchone()
        # Rows that retention has yet to remove follow one another up to the cut.
        if count and (high - low + 1 != count or not self._last(connection, high)):
            raise Broken(f"{_named(connection, low)} stands where no row is any more")

    def _last(self, connection: sqlite3.Connection, position: int) -> bool:
        """Whether the row at a position is the one that the walk has got to."""
        found = connection.execute(
            "SELECT position, CAST(run AS BLOB), seq, hash FROM entries WHERE position = ?",
            (position,),
        ).fetchone()
        return bool(found == (self._position, self._run.encode(), self._seq, self._hash))

    def _assume(self, connection: sqlite3.Connection) -> None:
        """Take the first row for granted, to see whether the row of its purge is broken."""
        with readable("the first row"):
            first, *then = connection.execute(
                "SELECT position, run, seq, hash, at, kind FROM entries ORDER BY position LIMIT 2"
            ).fetchall()
        if then and then[0][0] != first[0] + 1:
            raise Broken(f"{_named(connection, first[0])} stands where no row is any more")
        self._position, self._run, self._seq, self._hash, self._at, self._kind = first
        self._runs = Runs(None, within=self._run)

    def page(self, connection: sqlite3.Connection) -> None:
        """Prove the next rows."""
        try:
            with _reading(connection):
                self._page(connection)
        except Broken as broken:
            suspect = self._root.suspect
            if self._root.doubt and (suspect is None or self._position + 1 < suspect):
                raise Broken(self._root.doubt) from broken
            raise

    def _page(self, connection: sqlite3.Connection) -> None:
        ahead = connection.execute(
            "SELECT min(position) FROM entries WHERE position > ?", (self._position,)
        ).fetchone()[0]
        if ahead is not None and ahead != self._position + 1:
            # Retention may have cut further since.
            cut = root(connection).cut
            if cut is not None and cut.position > self._position:
                self._begin(connection)
                return
        found, broken = self._read(connection)
        proved: list[Row] = []
        try:
            for row in found:
                self._prove(connection, row)
                proved.append(row)
        except Broken as error:
            broken = error
        # What is wrong with rows before the broken one comes first.
        self._prove_documents(connection, proved)
        if broken is not None:
            raise broken

    def _read(self, connection: sqlite3.Connection) -> tuple[list[Row], Broken | None]:
        """The next rows; only those before one that can't be read, and what is wrong with it."""
        rows: list[Row] = []
        sql = f"{_SELECT} WHERE position > ? ORDER BY position LIMIT {PAGE}"
        with closing(connection.execute(sql, (self._position,))) as found:
            try:
                with readable(""):
                    for values in found:
                        rows.append(Row(*values))
            except Broken:
                before = rows[-1].position if rows else self._position
                (position,) = connection.execute(
                    "SELECT min(position) FROM entries WHERE position > ?", (before,)
                ).fetchone()
                return rows, Broken(f"{_named(connection, position)} isn't what was written")
        return rows, None

    def _prove(self, connection: sqlite3.Connection, row: Row) -> None:
        name = f"row {row.run}:{row.seq}"
        if not isinstance(row.run, str) or not isinstance(row.seq, int):
            raise Broken(f"{_named(connection, row.position)} isn't what was written")
        if row.run == self._run:
            if row.seq != self._seq + 1:
                raise Broken(f"{name} follows seq {self._seq}: rows between are missing or moved")
        elif row.run <= self._run:
            raise Broken(f"{name} stands behind the later run {self._run}")
        elif row.seq != 1:
            raise Broken(f"{name} is the first of its run: the rows before it are missing")
        if row.position != self._position + 1:
            raise Broken(f"{name} stands at position {row.position}, not {self._position + 1}")
        if link(self._hash, msgspec.structs.astuple(row)[:-1]) != row.hash:
            raise Broken(f"{name} isn't what was written, or the row before it is missing")
        if row.run != self._run:
            self._runs.end(connection, self._run, self._at, self._kind)
        if row.seq == 1:
            if row.kind != "started":
                raise Broken(f"{name} begins a run but is no `started` row")
            self._runs.start(connection, row.run, _started(row.detail))
        self._position, self._run, self._seq = row.position, row.run, row.seq
        self._hash, self._at, self._kind = row.hash, row.at, row.kind
        self.rows += 1
        self._meet(row.hash.hex())

    def _meet(self, found: str) -> None:
        wanted = self._wanted.pop((self._run, self._seq), None)
        if wanted is not None and found != wanted.hash:
            raise Broken(f"row {self._run}:{self._seq} has another hash than the anchor")

    def _prove_documents(self, connection: sqlite3.Connection, rows: list[Row]) -> None:
        if len(self._good) > _SEEN:
            self._good.clear()
        used = {digest for row in rows for digest in row.digests}
        self._good |= _whole(connection, used - self._good)
        referred = set(references(connection).of(connection, rows))
        for row in rows:
            for digest in row.digests:
                if digest not in self._good:
                    raise Broken(
                        f"document {digest.hex()} of row {row.run}:{row.seq} is missing or edited"
                    )
                if (digest, row.position) not in referred:
                    raise Broken(
                        f"the reference of row {row.run}:{row.seq} to document {digest.hex()}"
                        " is missing"
                    )

    def finish(self, connection: sqlite3.Connection) -> bool:
        """The newest run, runs without rows, and the anchor; False when rows are left.

        Not for those that came meanwhile: a writer may be as fast as the walk. A start is looked
        at all the same, since it gives earlier runs their ends.
        """
        with _reading(connection):
            (newest,) = connection.execute("SELECT max(position) FROM entries").fetchone()
            more = newest is not None and newest > self._position
            if more and (self._position < self._enough or self._starts(connection)):
                return False
            if self._root.doubt:
                raise Broken(self._root.doubt)
            self._runs.finish(connection, self._run, self._at, self._kind, whole=not more)
        for anchor in self._wanted.values():
            raise Broken(f"the anchor {anchor} is no row: the log's tail was cut off")
        return True

    def _starts(self, connection: sqlite3.Connection) -> bool:
        """Whether a run begins behind what was proved."""
        found = connection.execute(
            "SELECT 1 FROM entries WHERE position > ? AND kind = 'started' LIMIT 1",
            (self._position,),
        ).fetchone()
        return found is not None


def _named(connection: sqlite3.Connection, position: int) -> str:
    """By position when it is the row's name that can't be read."""
    form, run, seq = connection.execute(
        "SELECT typeof(run) || typeof(seq), CAST(run AS BLOB), CAST(seq AS BLOB)"
        " FROM entries WHERE position = ?",
        (position,),
    ).fetchone()
    try:
        if form == "textinteger":
            return f"row {run.decode()}:{seq.decode()}"
    except UnicodeDecodeError:
        pass
    return f"the row at position {position}"


def _whole(connection: sqlite3.Connection, digests: Iterable[bytes]) -> set[bytes]:
    """Those whose document is there and has that digest."""
    good = set()
    for piece in _pieces(sorted(digests)):
        marks = ", ".join("?" * len(piece))
        for digest, form, body in connection.execute(
            "SELECT digest, typeof(body), CAST(body AS BLOB) FROM documents"
            f" WHERE digest IN ({marks})",
            piece,
        ):
            if form == "text" and sha256(body).digest() == digest:
                good.add(digest)
    return good


def _pieces(digests: list[bytes]) -> Iterator[list[bytes]]:
    for start in range(0, len(digests), PAGE):
        yield digests[start : start + PAGE]
