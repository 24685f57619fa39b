"""How long a page of a long archive takes, whatever is asked for and wherever in it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Final

import msgspec

from reactor.audit.archive.reader import ArchiveReader
from tests.archive.explaining import ExplainingReader, bad
from tests.archive.postgres import Postgres, busy
from tests.bench import longlog
from tests.bench.archived import CLUSTER, DATABASE, archived
from tests.bench.biglog import BigLog
from tests.bench.figure import Figure
from tests.bench.questions import (
    ARCHIVE_ENDS,
    Listing,
    Question,
    Span,
    Travel,
    questions,
)
from tests.bench.setting import Setting
from tests.bench.taken import Taken, figures, partial

_YEAR: Final = 364 * 86_400_000_000
_YEARS_ROWS: Final = 300_000
_RAW: Final = """
SELECT * FROM entries WHERE cluster = 1 AND at >= $1 ORDER BY at, run, seq LIMIT 100
"""


def run(setting: Setting) -> list[Figure]:
    """All rows in one month, and fewer spread over twelve of them: what is looked for in one month
    after the other has to be found as fast.
    """
    log = BigLog(folder=setting.logs, rows=setting.rows)
    log.make()
    year = BigLog(folder=setting.logs, rows=min(setting.rows, _YEARS_ROWS))
    year.make()
    return [
        *_measured(setting, log, setting.rows, stretch=1, where="one month"),
        *_measured(
            setting,
            year,
            min(setting.rows, _YEARS_ROWS),
            stretch=_YEAR // (min(setting.rows, _YEARS_ROWS) // 4 * longlog.STEP),
            where="twelve months",
        ),
    ]


def _measured(
    setting: Setting, log: BigLog, rows: int, *, stretch: int, where: str
) -> list[Figure]:
    span = Span.of(rows, log.runs())
    asked = [_later(found, stretch) for found in questions(span, each=setting.questions)]
    began = time.monotonic()
    with archived(log, setting.logs, stretch=stretch) as (postgres, fresh):
        made = f"filled in {time.monotonic() - began:.0f} s" if fresh else "was there already"
        asyncio.run(_ask(postgres, asked[:: max(1, len(asked) // 200)]))
        taken = asyncio.run(_ask(postgres, asked))
        raw = asyncio.run(_raw(postgres, rows * stretch // 4))
        where = f"{rows} rows in {where}"
        return [
            *figures("archive", where, taken, raw=raw, what="100 rows by an index"),
            partial(
                f"archive queries by a filter or a listed pair that were answered in part, {where}",
                taken,
            ),
            asyncio.run(_plans(postgres, asked, where)),
            asyncio.run(_size(postgres, rows, f"{where}, {made}")),
        ]


def _later(question: Question, stretch: int) -> Question:
    """The same of a log that lasts so many times as long."""

    def moved(at: int | None) -> int | None:
        return None if at is None else longlog.FIRST + (at - longlog.FIRST) * stretch

    if isinstance(question, Travel):
        return msgspec.structs.replace(question, at=moved(question.at))
    if not isinstance(question, Listing):
        return question
    given = question.filters
    filters = msgspec.structs.replace(given, since=moved(given.since), until=moved(given.until))
    return msgspec.structs.replace(question, filters=filters)


async def _ask(postgres: Postgres, asked: Sequence[Question]) -> list[Taken]:
    reader = ArchiveReader(url=postgres.url(DATABASE), cluster=CLUSTER)
    try:
        await reader.runs()
        pid = await postgres.backend("smi-adaptor")
        taken = []
        for question in asked:
            began, spent = time.perf_counter(), time.process_time() + busy(pid)
            page = await question.ask(reader, ARCHIVE_ENDS)
            milliseconds = 1000 * (time.perf_counter() - began)
            spent = 1000 * (time.process_time() + busy(pid) - spent)
            taken.append(Taken(question, milliseconds, spent, page is not None and page.partial))
        return taken
    finally:
        await reader.close()


async def _raw(postgres: Postgres, changes: int) -> list[float]:
    """As many rows by an index, with a connection that is there."""
    connection = await postgres.connect(DATABASE)
    try:
        taken = []
        for number in range(200):
            at = longlog.FIRST + changes * longlog.STEP * number // 200
            began = time.perf_counter()
            await connection.fetch(_RAW, at)
            taken.append(1000 * (time.perf_counter() - began))
        return taken
    finally:
        await connection.close()


async def _plans(postgres: Postgres, asked: Sequence[Question], where: str) -> Figure:
    """By what the server tells of the statements, one question of each sort."""
    reader = ExplainingReader(url=postgres.url(DATABASE), cluster=CLUSTER)
    try:
        for question in {(each.group, each.name): each for each in asked}.values():
            await question.ask(reader, ARCHIVE_ENDS)
    finally:
        await reader.close()
    found = [told for plan in reader.plans if (told := bad(*plan)) is not None]
    return Figure.of(
        f"archive queries' statements that read or sort a whole table, {where}",
        "",
        [len(found)],
        limit=0.0,
        rule="none",
        note=f"of {len(reader.plans)} by EXPLAIN (FORMAT JSON). {'; '.join(found[:2])}",
    )


async def _size(postgres: Postgres, rows: int, note: str) -> Figure:
    ((size,),) = await postgres.fetch(
        DATABASE, "SELECT pg_database_size($1::name)::bigint", DATABASE
    )
    return Figure.of("archive, bytes for each row", "B", [size / rows], note=note)
