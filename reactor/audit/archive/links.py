"""One log's rows in the archive, link by link."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from reactor.audit.ledger import Start
from reactor.audit.link import GENESIS, link
from reactor.audit.row import Row

Named = tuple[str, int]
"""A row by its run and seq."""


class Broken(Exception):
    """The chain doesn't hold here."""


class Links:
    """How far a log was walked. ``wanted`` are rows that have to have these hashes."""

    def __init__(self, wanted: Mapping[Named, str]) -> None:
        self.rows = 0
        self.met: set[Named] = set()
        self.position = 0
        self.hash: bytes | None = GENESIS
        self.newest: Row | None = None
        self._wanted = wanted
        self.enter("")

    def enter(self, run: str) -> None:
        """Go on with the next run."""
        self.run = run
        self.seq = 0
        self.last: Row | None = None
        self.start: Start | None = None
        self.oldest, self.latest = 1 << 63, 0
        self.whole = True

    def follow(self, rows: Sequence[Row]) -> int:
        """Prove rows of this run up to one that doesn't follow the one before; how many."""
        for number, row in enumerate(rows):
            if not self.follows(row):
                return number
            self.take(row)
        return len(rows)

    def follows(self, row: Row) -> bool:
        """Whether no row is missing before this one."""
        at_once = row.position == self.position + 1 and row.seq == self.seq + 1
        return at_once and self.hash is not None

    def take(self, row: Row) -> None:
        """Prove a row; what it is chained to may be unknown, then it is taken as it is."""
        name = f"row {row.run}:{row.seq}"
        values = msgspec.structs.astuple(row)
        if self.hash is not None and link(self.hash, values[:-1]) != row.hash:
            raise Broken(f"{name} isn't what was written, or the row before it is missing")
        if row.seq == 1:
            if row.kind != "started":
                raise Broken(f"{name} begins a run but is no `started` row")
            try:
                self.start = msgspec.json.decode(row.detail, type=Start)
            except msgspec.MsgspecError as error:
                raise Broken(f"{name} isn't what was written: {error}") from error
        if (row.run, row.seq) in self._wanted:
            self.meet((row.run, row.seq), row.hash.hex())
        self.whole = self.whole and row.seq == self.seq + 1
        self.position, self.seq, self.hash = row.position, row.seq, row.hash
        self.oldest, self.latest = min(self.oldest, row.at), max(self.latest, row.at)
        self.last = self.newest = row
        self.rows += 1

    def meet(self, named: Named, found: str) -> None:
        """A row that is wanted has this hash."""
        if self._wanted[named] != found:
            raise Broken(f"row {named[0]}:{named[1]} has another hash than the anchor")
        self.met.add(named)

    def forget(self, run: str, first: int, last: int) -> None:
        """These rows of a run are gone for a reason that is known."""
        self.met |= {
            named for named in self._wanted if named[0] == run and first <= named[1] <= last
        }
