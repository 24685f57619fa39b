"""How long a page of a long log takes, whatever is asked for and wherever in it."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from random import Random

from reactor.audit import engine
from reactor.audit.query import Reader
from reactor.audit.row import COLUMNS
from tests.bench import overhttp, samples
from tests.bench.biglog import BigLog, Made
from tests.bench.figure import Figure
from tests.bench.plans import Traced, bad, unbounded
from tests.bench.questions import (
    ENDS,
    Listing,
    Question,
    Span,
    questions,
)
from tests.bench.setting import Setting
from tests.bench.taken import LIMIT, Taken, figures, partial


def run(setting: Setting) -> list[Figure]:
    """On a file that the system has in memory, and on one of which it has nothing."""
    log = BigLog(folder=setting.logs, rows=setting.rows)
    made = log.make()
    span = Span.of(setting.rows, log.runs())
    asked = list(questions(span, each=setting.questions))
    found: list[Figure] = []
    warm_and_cold: list[Taken] = []
    for temperature, cool in (("warm", _nothing), ("cold", log.cool)):
        count = len(asked) // 4
        if temperature == "warm":
            asyncio.run(_ask(log, asked, cool))
            _raw(log, setting, cool, count)
        raw = _raw(log, setting, cool, count)
        taken = asyncio.run(_ask(log, asked, cool))
        found += figures("log", temperature, taken, raw=raw, what="100 rows by primary key")
        if temperature == "warm":
            found.append(_http(log, asked, raw))
        warm_and_cold += taken
    in_part = partial(
        "log queries by a filter or a listed pair that were answered in part", warm_and_cold
    )
    return [*found, in_part, *asyncio.run(_plans(log, asked)), *_sizes(log, made)]


def _nothing() -> None:
    pass


async def _ask(log: BigLog, asked: Sequence[Question], before: Callable[[], None]) -> list[Taken]:
    reader = Reader(url=str(log.path))
    taken = []
    for question in asked:
        before()
        began, busy = time.perf_counter(), time.process_time()
        page = await question.ask(reader, ENDS)
        milliseconds = 1000 * (time.perf_counter() - began)
        busy = 1000 * (time.process_time() - busy)
        taken.append(Taken(question, milliseconds, busy, page is not None and page.partial))
    return taken


def _raw(log: BigLog, setting: Setting, before: Callable[[], None], count: int) -> list[float]:
    """As many rows by primary key on a bare connection, each time anew."""
    random = Random(1)
    taken = []
    for _ in range(count):
        low = random.randint(1, setting.rows - 100)
        before()
        began = time.perf_counter()
        with closing(sqlite3.connect(engine.uri(log.path, "ro"), uri=True)) as connection:
            connection.execute(
                f"SELECT {', '.join(COLUMNS)} FROM entries WHERE position >= ?"
                " ORDER BY position LIMIT 100",
                (low,),
            ).fetchall()
        taken.append(1000 * (time.perf_counter() - began))
    return taken


def _http(log: BigLog, asked: Sequence[Question], raw: Sequence[float]) -> Figure:
    listings = [
        question
        for question in asked
        if isinstance(question, Listing) and question.group == "filters"
    ]
    return Figure.of(
        "log query p99, filters, warm, over HTTP",
        "ms",
        [samples.percentile(overhttp.ask(log.path, listings), 99)],
        raw=[samples.percentile(raw, 99)],
        limit=LIMIT,
        rule=f"{LIMIT:.0f} ms",
        note=f"{len(listings)} questions; the client is another process",
    )


async def _plans(log: BigLog, asked: Sequence[Question]) -> list[Figure]:
    """By what SQLite tells of the statements, and by where since and until lead."""
    reader = Traced(path=log.path)
    sorts = {(question.group, question.name): question for question in asked}
    for question in sorts.values():
        await question.ask(reader, ENDS)
    scans = bad(log.path, reader.statements)
    timed = {question.filters for question in sorts.values() if isinstance(question, Listing)}
    problems = [problem for one in timed if (problem := await unbounded(log.path, one))]
    return [
        Figure.of(
            "log queries' statements that read or sort a whole table",
            "",
            [len(scans)],
            limit=0.0,
            rule="none",
            note=f"of {len(reader.statements)} by EXPLAIN QUERY PLAN. {'; '.join(scans[:2])}",
        ),
        Figure.of(
            "log queries whose since and until are no positions first",
            "",
            [len(problems)],
            limit=0.0,
            rule="none",
            note="; ".join(problems[:2]),
        ),
    ]


def _sizes(log: BigLog, made: Made) -> list[Figure]:
    row, index = log.sizes()
    took = [
        f"{name} made in {seconds:.0f} s" if seconds is not None else f"{name} was there already"
        for name, seconds in (("log", made.log), ("index", made.index))
    ]
    return [
        Figure.of(
            "search index, bytes for each row of the log",
            "B",
            [index],
            note=f"a row takes {row:.0f} B in the log itself; {'; '.join(took)}",
        )
    ]
