"""Proves that a cluster's rows in the archive are as they were written, log by log.

Each replica's local log has a chain of its own, through all of its runs. Retention drops months,
so that a log may lack its beginning: what is left is chained from there on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import groupby
from typing import Any, Final

import msgspec

from reactor.audit.archive import partitions
from reactor.audit.archive.bodies import Bodies
from reactor.audit.archive.database import Connection
from reactor.audit.archive.links import Broken, Links
from reactor.audit.archive.months import Month
from reactor.audit.archive.verdict import ArchiveVerdict
from reactor.audit.chain import Anchor
from reactor.audit.ledger import Start
from reactor.audit.row import COLUMNS, Row

PAGE: Final = 500
"""Rows of one question."""
REMARKS: Final = 100
"""Remarks that are kept; so many are told one by one."""

_ROWS: Final = f"""
SELECT {", ".join(COLUMNS).replace("run,", "run::text,", 1)} FROM entries
WHERE cluster = $1 AND run = $2::text::uuid AND seq > $3 ORDER BY entries.seq LIMIT {PAGE}
"""
_RUNS: Final = """
SELECT id::text, started, version, host, settings, cluster_domain,
       ended, log::text, shipped, position, oldest, newest FROM runs WHERE cluster = $1
"""
_CUT: Final = """
SELECT detail FROM entries
WHERE cluster = $1 AND kind = 'purged'
AND run IN (SELECT id FROM runs WHERE cluster = $1 AND log = $2)
AND (detail::json ->> 'position')::bigint >= $3 ORDER BY at, run, seq LIMIT 1
"""


class _Run(msgspec.Struct, frozen=True):
    id: str
    start: Start
    ended: int | None
    log: str
    shipped: int
    position: int
    oldest: int
    newest: int


class _Cut(msgspec.Struct):
    position: int
    hash: str


class Proof:
    """Of one cluster's rows, on one connection."""

    def __init__(
        self, connection: Connection, *, cluster: int, anchors: Sequence[Anchor] = ()
    ) -> None:
        self._connection = connection
        self._cluster = cluster
        self._wanted = {(anchor.run, anchor.seq): anchor.hash for anchor in anchors}
        self._bodies = Bodies(connection, cluster=cluster)
        self._months: set[Month] = set()
        self._links = Links(self._wanted)
        self._rows = 0
        self._met: set[tuple[str, int]] = set()
        self._ends: list[Row] = []
        self._remarks: list[str] = []
        # Of the log that is walked now:
        self._gone = False
        self._first = ""
        self._before: _Run | None = None

    async def verdict(self) -> ArchiveVerdict:
        """Read everything. Rows may come meanwhile, and months go."""
        problem = None
        try:
            await self._everything()
        except Broken as broken:
            problem = str(broken)
        self._leave()
        ends = sorted(self._ends, key=lambda row: (row.at, row.run))
        anchors = tuple(Anchor(row.run, row.seq, row.hash.hex()) for row in ends)
        return ArchiveVerdict(
            self._rows, problem, anchors[-1] if anchors else None, anchors, tuple(self._remarks)
        )

    async def _everything(self) -> None:
        self._months = await partitions.there(self._connection)
        runs = [_run(row) for row in await self._fetch(f"{_RUNS} ORDER BY log, id")]
        for log, group in groupby(runs, key=lambda run: run.log):
            await self._log(log, list(group))
        await self._strangers()
        self._leave()
        for named in self._wanted.keys() - self._met:
            raise Broken(
                f"the anchor {named[0]}:{named[1]} is no row: its log's tail was cut off, or isn't"
                " copied yet"
            )

    def _leave(self) -> None:
        """The log that was walked is done with."""
        self._rows += self._links.rows
        self._met |= self._links.met
        if self._links.newest is not None:
            self._ends.append(self._links.newest)
        self._links = Links(self._wanted)

    async def _log(self, log: str, runs: list[_Run]) -> None:
        self._leave()
        self._gone = False
        self._first = log
        self._before = None
        if runs[0].id != log:
            raise Broken(f"run {log} is missing")
        for number, run in enumerate(runs):
            self._links.enter(run.id)
            async for rows in self._pages(run.id):
                await self._follow(run, rows)
                await self._bodies.prove(rows, self._there)
            await self._end(run, newest=number == len(runs) - 1)
            self._before = run

    async def _pages(self, run: str) -> AsyncIterator[list[Row]]:
        after = 0
        while True:
            found = await self._fetch(_ROWS, run, after)
            rows = [Row(*values) for values in found]
            if rows:
                yield rows
            if len(rows) < PAGE:
                return
            after = rows[-1].seq

    async def _follow(self, run: _Run, rows: list[Row]) -> None:
        links = self._links
        while rows:
            # Beside the event loop: an adaptor has other things to do as well.
            done = await asyncio.to_thread(links.follow, rows)
            rows = rows[done:]
            if rows:
                await self._leap(run, rows[0])
                links.take(rows.pop(0))

    async def _leap(self, run: _Run, row: Row) -> None:
        """Rows before this one aren't there: go on behind them if it is known why."""
        links = self._links
        name = f"row {row.run}:{row.seq}"
        missing, skipped = row.position - links.position - 1, row.seq - links.seq - 1
        if skipped < 0:
            raise Broken(f"{name} is there twice")
        if not 0 <= skipped <= missing:
            raise Broken(
                f"{name} stands at position {row.position}, not {links.position + 1 + skipped}"
            )
        lost = await self._lost(row) if missing else 0
        if missing and not await self._known(run, row, missing, skipped, lost):
            raise Broken(f"{name} follows position {links.position}: the rows between are missing")
        if lost:
            self._remark(
                f"{lost} rows before {row.run}:{row.seq} were removed by the local log's retention"
                " before they were copied"
            )
        if skipped:
            links.forget(row.run, links.seq + 1, row.seq - 1)
        if missing or links.hash is None:
            links.hash = await self._chained_to(row)
            if links.hash is None:
                self._remark(f"{name} is taken as it is: the row that it is chained to is gone")
        self._gone = False

    async def _known(self, run: _Run, row: Row, missing: int, skipped: int, lost: int) -> bool:
        """Whether something tells why these rows aren't there."""
        links = self._links
        if missing == lost or (skipped == 0 and self._gone):
            return True
        # Months go in the order of time, and so do rows, unless the clock was wrong: the first
        # row or one in between, but not both.
        either = skipped and (links.last is None or links.whole)
        if either and not await self._there(run.oldest):
            return True
        if links.newest is not None or run.id != self._first:
            return False
        return await self._cut(row.position - 1) is not None

    async def _chained_to(self, row: Row) -> bytes | None:
        """The hash of the row before, that is gone."""
        before, named = self._before, (row.run, row.seq - 1)
        if before is not None and before.position == row.position - 1:
            named = (before.id, before.shipped)
        anchored = self._wanted.get(named)
        if anchored is not None:
            return bytes.fromhex(anchored)
        cut = await self._cut(row.position - 1)
        if cut is None or cut.position != row.position - 1:
            return None
        return bytes.fromhex(cut.hash)

    async def _cut(self, position: int) -> _Cut | None:
        """The first one of the local log's retention that took the row there."""
        found = await self._fetch(_CUT, self._first, position)
        return msgspec.json.decode(found[0][0], type=_Cut) if found else None

    async def _lost(self, row: Row) -> int:
        found = await self._fetch(
            "SELECT rows FROM losses WHERE cluster = $1 AND run = $2 AND position = $3",
            *(row.run, row.position),
        )
        return int(found[0][0]) if found else 0

    async def _end(self, run: _Run, *, newest: bool) -> None:
        """Whether all is there that the run has, and the run is as its rows say."""
        links = self._links
        if links.seq < run.shipped:
            begun = links.last is not None
            astray = begun and links.whole and not await self._there(run.oldest)
            if not astray and (begun or await self._there(run.newest)):
                raise Broken(
                    f"row {run.id}:{links.seq + 1} is missing, and all of its run behind it"
                )
            links.forget(run.id, links.seq + 1, run.shipped)
            self._gone, links.hash = True, None
            if links.last is None:
                self._remark(f"the rows of run {run.id} were in months that retention dropped")
        found = await self._fetch(f"{_RUNS} AND id = $2", run.id)
        if not found:
            raise Broken(f"run {run.id} is missing")
        run = _run(found[0])
        if links.start is not None and links.start != run.start:
            raise Broken(f"run {run.id} isn't what was written when it started")
        if links.last is not None and links.seq == run.shipped:
            self._complete(run, links.last, newest=newest)

    def _complete(self, run: _Run, last: Row, *, newest: bool) -> None:
        links = self._links
        if last.kind == "stopped" or not newest:
            wrong = run.ended != last.at and not (run.ended is None and last.kind != "stopped")
        else:
            # Its end may be known before its last rows come.
            wrong = run.ended is not None and run.ended < last.at
        if wrong:
            raise Broken(f"run {run.id} has another end than its last row")
        reached = links.oldest, links.latest, last.position
        said = run.oldest, run.newest, run.position
        if reached != said and (links.whole or not said[0] <= reached[0] <= reached[1] <= said[1]):
            raise Broken(f"run {run.id} says of its rows what they don't: when, or how far")

    async def _strangers(self) -> None:
        """Rows of a run that there isn't."""
        after = "00000000-0000-0000-0000-000000000000"
        while True:
            found = await self._fetch(
                "SELECT run::text FROM entries WHERE cluster = $1 AND run > $2"
                " ORDER BY entries.run LIMIT 1",
                after,
            )
            if not found:
                return
            after = found[0][0]
            if not await self._fetch("SELECT 1 FROM runs WHERE cluster = $1 AND id = $2", after):
                raise Broken(f"run {after} is missing")

    async def _there(self, at: int) -> bool:
        """Whether the month of a moment is one that retention keeps, still: it drops the oldest."""
        month = Month.of(at)
        if not self._months or month >= min(self._months):
            self._months = await partitions.there(self._connection)
        return bool(self._months) and month >= min(self._months)

    def _remark(self, text: str) -> None:
        if len(self._remarks) < REMARKS:
            self._remarks.append(text)

    async def _fetch(self, statement: str, *values: Any) -> list[Any]:
        found: list[Any] = await self._connection.fetch(statement, self._cluster, *values)
        return found


def _run(values: Sequence[Any]) -> _Run:
    return _Run(values[0], Start(*values[1:6]), *values[6:])
