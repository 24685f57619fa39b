"""Pages of a log that is long enough for the search index to pack its terms."""

from __future__ import annotations

import asyncio
from itertools import chain, groupby
from operator import attrgetter
from pathlib import Path
from random import Random
from typing import Final

import pytest

from reactor.audit.index.packs import PACK, common, packed
from reactor.audit.index.schema import beside
from reactor.audit.query import Filters, Order, Reader
from reactor.audit.query.filters import Sieve
from reactor.audit.query.terms import stretches
from reactor.audit.row import COLUMNS, Row
from tests.bench import longlog
from tests.bench.plans import Traced, bad, unbounded
from tests.bench.questions import ENDS, Listing, Question, Span, questions
from tests.unit.audit.indexing import catch_up
from tests.unit.audit.logs import entry, opened, rows

_ROWS: Final = PACK + 2000
ORDERS: Final[tuple[Order, ...]] = ("newest", "oldest")


@pytest.fixture(scope="module", name="log")
def _log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("terms") / "log.sqlite"
    longlog.write(path, _ROWS)
    asyncio.run(catch_up(path))
    assert rows(beside(path), "SELECT packed FROM progress") == [(PACK,)]
    return path


@pytest.fixture(name="asked")
def _asked(log: Path) -> list[Question]:
    span = Span.of(_ROWS, [run for (run,) in rows(log, "SELECT id FROM runs")])
    return list(questions(span, each=1))


def _all(log: Path) -> list[Row]:
    stored = rows(log, f"SELECT {', '.join(COLUMNS)} FROM entries ORDER BY position")
    return [Row(*row) for row in stored]


@pytest.mark.parametrize("density", [0.001, 0.05, 0.2, 0.9])
def test_a_pack_tells_what_terms_have_in_common(density: float) -> None:
    random = Random(7)
    sets = [
        [offset for offset in range(PACK) if random.random() < share]
        for share in (density, 0.5, 0.02)
    ]
    for chosen in (sets[:1], sets[:2], sets[::2], sets):
        expected = sorted(set(chosen[0]).intersection(*chosen[1:]))
        assert common([packed(offsets) for offsets in chosen]) == expected
    assert all(len(packed(offsets)) <= PACK // 8 for offsets in sets)


@pytest.mark.parametrize("down", [False, True])
def test_packs_are_read_in_stretches_that_leave_none_out(down: bool) -> None:
    for low, high in ((0, 0), (3, 34), (3, 35), (7, 900)):
        found = list(stretches(low, high, down))
        turns = [stretch[::-1] if down else stretch for stretch in found]
        expected = range(low, high + 1)
        assert list(chain(*turns)) == list(expected[::-1] if down else expected)
        assert len(found) <= 4


async def test_every_question_has_the_rows_that_a_scan_finds(
    log: Path, asked: list[Question]
) -> None:
    everything = _all(log)
    reader = Reader(url=str(log))
    listings = [question for question in asked if isinstance(question, Listing)]
    for filters, group in groupby(listings, key=attrgetter("filters")):
        fits = Sieve(filters).fits
        expected = [row for row in everything if fits(row)]
        for question in group:
            page = await question.ask(reader, ENDS)
            assert page is not None
            from_top = (question.order == "newest") != question.last
            shown = expected[::-1][:100] if from_top else expected[:100]
            if question.last:
                shown.reverse()
            assert page.partial or list(page.entries) == shown, question


async def test_a_clock_that_stood_still_or_went_back_hides_no_row(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    async with opened(path, clock=lambda: 100) as log:
        for at in (100, 50, 200):
            for _ in range(900):
                log.append(entry(at=at))
            assert await log.commit()
    await catch_up(path)
    for filters in (
        Filters(since=60, kind="translated"),
        Filters(since=150),
        Filters(until=60),
        Filters(until=150),
        Filters(since=100, until=101),
    ):
        fits = Sieve(filters).fits
        expected = [row for row in _all(path) if fits(row)]
        turns: list[tuple[Order, list[Row]]] = [("oldest", expected), ("newest", expected[::-1])]
        for order, rest in turns:
            cursor = None
            while rest:
                page = await Reader(url=str(path)).entries(
                    filters, limit=1000, order=order, cursor=cursor
                )
                cursor = page.next
                assert list(page.entries) == rest[: len(page.entries)]
                rest = rest[len(page.entries) :]
                assert (cursor is None) == (not rest) or page.partial


async def test_no_question_reads_a_whole_table(log: Path, asked: list[Question]) -> None:
    reader = Traced(path=log)
    for question in asked:
        if question.group != "any":
            await question.ask(reader, ENDS)
    assert len(reader.statements) > 100
    assert bad(log, reader.statements) == []
    timed = {question.filters for question in asked if isinstance(question, Listing)}
    found = [await unbounded(log, filters) for filters in timed]
    assert [problem for problem in found if problem] == []


@pytest.mark.parametrize(
    "filters",
    [
        Filters(kind="observed", outcome="patched"),
        Filters(actor="smi-adaptor", split="web-3"),
        Filters(outcome="patched", text="weight"),
        Filters(kind="synced", actor="flagger", namespace="team-7"),
    ],
)
async def test_what_no_row_ever_has_together_is_answered_without_a_look_at_rows(
    log: Path, filters: Filters
) -> None:
    reader = Traced(path=log)
    for order in ORDERS:
        page = await reader.entries(filters, order=order)
        assert (page.entries, page.next, page.partial) == ((), None, False)
    assert not [sql for sql in reader.statements if "packs" in sql or "messages" in sql]


def test_a_statement_that_does_is_noticed(log: Path) -> None:
    for sql in (
        "SELECT * FROM entries WHERE detail = 'x'",
        "SELECT position FROM entries WHERE kind = 'synced' ORDER BY at",
        "SELECT * FROM side.packs",
        "SELECT count(*) FROM side.messages",
    ):
        assert len(bad(log, [sql])) == 1
