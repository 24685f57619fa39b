"""Pages of the log: every row that matches, once, in either order, whatever is indexed."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import msgspec
import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from reactor.audit.index.words import said
from reactor.audit.query import Filters, Order, Page, Reader
from reactor.audit.query.cursor import Cursor
from reactor.audit.query.position import pack
from reactor.audit.row import Row
from reactor.errors import Fatal, ReactorError
from tests.archive.fixtures import new_archive
from tests.archive.postgres import Postgres
from tests.archive.shipping import level, reading, shipping, until
from tests.unit.audit.indexing import catch_up
from tests.unit.audit.logs import document, entry, eventually, opened, rows

_NAMES = ("kind", "namespace", "split", "service", "outcome", "actor", "reconcile", "run")
_REASONS = ("ShadowedBy", "InvalidWeight", "NoBackends")


def _detail(number: int) -> bytes:
    if number % 3 == 1:
        found = {"reason": _REASONS[number % 2], "message": f"weight {number} is Übel-gross"}
        return msgspec.json.encode({"desired": {"findings": [found]}, "plan": {"type": "keep"}})
    return msgspec.json.encode({"message": "the write was refused" if number % 9 == 2 else ""})


async def _write(path: Path, *, rounds: int, index: str) -> None:
    for part in range(rounds):
        async with opened(path, clock=lambda: 0) as log:
            for number in range(120):
                log.append(
                    entry(
                        ("observed", "translated", "synced")[number % 3],
                        f"service-{number % 4}",
                        namespace=f"namespace-{number % 5}",
                        split=f"split-{number % 7}" if number % 2 else None,
                        outcome="patched" if number % 3 == 2 else None,
                        actor=f"manager-{number % 2}" if number % 3 == 0 else None,
                        reconcile=f"{part}-{number // 3}",
                        detail=_detail(number),
                        at=1000 + number * 10 - (number % 4) * 25,
                        documents=(document(str(number)),),
                    )
                )
        if index == "whole" or (index == "half" and part == 0):
            await catch_up(path)


class Log(Protocol):
    """What is asked here of a log, wherever it lies."""

    async def entries(
        self, filters: Filters, *, limit: int = ..., order: Order = ..., cursor: str | None = ...
    ) -> Page: ...


Opened = Callable[[], AbstractAsyncContextManager[Log]]
"""Opens the log of a test: its connections belong to the test's own event loop."""


@pytest.fixture(scope="module", params=["whole", "half", "none", "archive"], name="opening")
def _opening(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Opened:
    path = tmp_path_factory.mktemp("query") / "log.sqlite"
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_write(path, rounds=2, index=request.param))
        if request.param != "archive":
            return lambda: nullcontext(Reader(url=str(path)))
        postgres: Postgres = request.getfixturevalue("postgres")
        name = f"query_{uuid.uuid4().hex[:8]}"
        runner.run(_ship(postgres, name, path))
    return partial(reading, postgres.url(name), cluster="one")


async def _ship(postgres: Postgres, name: str, path: Path) -> None:
    await new_archive(postgres, name)
    for cluster in ("one", "two"):
        # The rows are from 1970.
        keep = 200 * 366 * 86400.0
        async with shipping(postgres.url(name), path, cluster=cluster, retention=keep) as shipper:
            await until(level(shipper))


async def _walk(
    log: Log, filters: Filters, limit: int, order: Order, cursor: str | None = None
) -> list[Page]:
    pages: list[Page] = []
    while True:
        page = await log.entries(filters, limit=limit, order=order, cursor=cursor)
        pages.append(page)
        assert len(page.entries) == limit or page.next is None or page.partial
        if page.next is None:
            return pages
        cursor = page.next


def _rows(pages: list[Page]) -> list[Row]:
    return [row for page in pages for row in page.entries]


def _matches(row: Row, filters: Filters) -> bool:
    found = said(row.detail)
    wanted = filters.wanted()
    return (
        all(getattr(filters, name) in (None, getattr(row, name)) for name in _NAMES)
        and (filters.since is None or row.at >= filters.since)
        and (filters.until is None or row.at < filters.until)
        and (filters.finding is None or filters.finding in found.findings)
        and (wanted is None or wanted.within(found.text))
    )


def _maybe(*values: Any) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), st.none(), st.sampled_from(values))


@given(
    filters=st.builds(
        Filters,
        kind=_maybe("observed", "translated", "synced", "started", "none"),
        namespace=_maybe("namespace-1", "namespace-4", "none"),
        split=_maybe("split-1", "split-6"),
        service=_maybe("service-1", "service-3"),
        outcome=_maybe("patched", "failed"),
        finding=_maybe(*_REASONS),
        actor=_maybe("manager-0", "manager-1", "none"),
        reconcile=_maybe("0-7", "1-20"),
        text=_maybe("weight", "UBEL", '"the write"', "refused write", "ubel-gross 70"),
        since=_maybe(900, 1005, 1500, 2300),
        until=_maybe(900, 1300, 2100),
    ),
    limit=st.sampled_from([1, 7, 100, 1000]),
    order=st.sampled_from(["newest", "oldest"]),
    whole_run=st.sampled_from([None, 0, 1]),
)
async def test_the_pages_hold_every_row_that_matches_once(
    opening: Opened, filters: Filters, limit: int, order: Order, whole_run: int | None
) -> None:
    async with opening() as log:
        await _compare(log, filters, limit, order, whole_run)


async def _compare(
    log: Log, filters: Filters, limit: int, order: Order, whole_run: int | None
) -> None:
    everything = _rows(await _walk(log, Filters(), 1000, "newest"))
    assert len({(row.run, row.seq) for row in everything}) == len(everything) == 244
    assert everything == sorted(everything, key=lambda row: row.position, reverse=True)
    if whole_run is not None:
        run = sorted({row.run for row in everything})[whole_run]
        filters = msgspec.structs.replace(filters, run=run)
    expected = [row for row in everything if _matches(row, filters)]
    if order == "oldest":
        expected.reverse()
    limit = max(limit, len(expected) // 5, 1)
    assert _rows(await _walk(log, filters, limit, order)) == expected


@pytest.mark.parametrize("order", ["newest", "oldest"])
async def test_the_way_back_shows_the_same_pages(opening: Opened, order: Order) -> None:
    filters = Filters(kind="synced")
    async with opening() as log:
        forth = await _walk(log, filters, 9, order)
        back = [forth[-1]]
        while back[-1].previous is not None:
            back.append(await log.entries(filters, limit=9, order=order, cursor=back[-1].previous))
    found = [page.entries for page in reversed(back) if page.entries]
    assert [row for rows_ in found for row in rows_] == _rows(forth)


async def test_a_page_shows_all_columns(opening: Opened) -> None:
    async with opening() as log:
        page = await log.entries(Filters(split="split-5", kind="synced"), limit=1)
    (row,) = page.entries
    assert row.outcome == "patched"
    assert row.digests == (document("89").digest,)
    assert len(row.hash) == 32


async def test_rows_that_come_meanwhile_do_not_disturb_the_pages(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    reader = Reader(url=str(path))
    async with opened(path) as log:
        for number in range(10):
            log.append(entry(name=str(number)))
        assert await log.commit()
        first = await reader.entries(Filters(), limit=5)
        log.append(entry(name="later"))
        assert await log.commit()
        second = await reader.entries(Filters(), limit=5, cursor=first.next)
        newer = await reader.entries(Filters(), limit=5, cursor=first.previous)
    seen = [row.service for row in (*first.entries, *second.entries)]
    assert seen == [str(number) for number in range(9, -1, -1)]
    assert [row.service for row in newer.entries] == ["later"]


async def test_pages_go_on_where_retention_cut_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    day = 86_400_000_000
    now = 200 * day
    async with opened(path, clock=lambda: now) as log:
        for number in range(40):
            log.append(entry(name=str(number), at=now if number < 25 else now + 20 * day))
        assert await log.commit()
    reader, asked = Reader(url=str(path)), Filters(kind="translated")
    newest = await reader.entries(asked, limit=10)
    oldest = await reader.entries(asked, limit=10, order="oldest")
    gone = oldest.entries[-1]
    now += 31 * day
    async with opened(path, clock=lambda: now):
        await eventually(lambda: rows(path, "SELECT min(position) FROM entries") == [(27,)])
        down = _rows(await _walk(reader, asked, 2, "newest", newest.next))
        up = _rows(await _walk(reader, asked, 2, "oldest", oldest.next))
        assert await reader.entry(gone.run, gone.seq) is None
    assert [row.service for row in down] == [str(number) for number in range(29, 24, -1)]
    assert [row.service for row in up] == [str(number) for number in range(25, 40)]


async def test_what_no_index_answers_comes_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log.sqlite"
    await _write(path, rounds=8, index="whole")
    monkeypatch.setattr("reactor.audit.query.pages.TIME", 0.0)
    filters = Filters(until=1050)
    for order in ("newest", "oldest"):
        pages = await _walk(Reader(url=str(path)), filters, 1000, order)
        assert len(pages) > 1
        assert any(page.partial for page in pages)
        found = [row.position for row in _rows(pages)]
        expected = rows(
            path,
            "SELECT position FROM entries WHERE at < 1050 ORDER BY position",
        )
        assert sorted(found) == [position for (position,) in expected] != []


@pytest.mark.parametrize("limit", [0, -1, 1001])
async def test_a_limit_out_of_range_is_refused(opening: Opened, limit: int) -> None:
    async with opening() as log:
        with pytest.raises(ValueError, match="limit must be 1 to 1000"):
            await log.entries(Filters(), limit=limit)


@pytest.mark.parametrize("cursor", ["", "?", "abc", "v1.5", "v1.>", "v1.<1234567890123456789"])
async def test_a_cursor_of_others_is_refused(opening: Opened, cursor: str) -> None:
    async with opening() as log:
        with pytest.raises(ValueError, match="cursor is none of ours"):
            await log.entries(Filters(), cursor=cursor)


async def test_a_cursor_of_the_archive_leads_to_the_same_row_or_the_same_time(
    tmp_path: Path,
) -> None:
    path = tmp_path / "log.sqlite"
    async with opened(path, clock=lambda: 100) as log:
        for at in range(110, 200, 10):
            log.append(entry(at=at))
        assert await log.commit()
        reader = Reader(url=str(path))
        newest = (await reader.entries(Filters(), limit=100)).entries
        other = "01890a5d-ac96-774b-bcce-b302099a8057"
        for above, chosen, expected in (
            (False, pack(newest[2].at, newest[2].run, newest[2].seq), newest[3:]),
            (True, pack(newest[2].at, newest[2].run, newest[2].seq), newest[:2]),
            (False, pack(165, other, 1), [row for row in newest if row.at < 165]),
            (True, pack(165, other, 1), [row for row in newest if row.at > 165]),
            (False, pack(5, other, 1), []),
            (True, pack(500, other, 1), []),
            (False, 10**77 - 1, newest),
        ):
            page = await reader.entries(
                Filters(), limit=100, cursor=str(Cursor(chosen, above=above))
            )
            assert list(page.entries) == list(expected)
        assert await reader.place(newest[1].position) == pack(
            newest[1].at, newest[1].run, newest[1].seq
        )
        assert await reader.place(0) < pack(0, newest[0].run, 0)


@pytest.mark.parametrize("text", ["", " ", '""', "--- !"])
async def test_a_text_without_a_word_is_refused(opening: Opened, text: str) -> None:
    async with opening() as log:
        with pytest.raises(ValueError, match="no word"):
            await log.entries(Filters(text=text))


async def test_a_log_that_is_not_there_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(ReactorError, match="can't be opened") as refused:
        await Reader(url=str(tmp_path / "none.sqlite")).entries(Filters())
    assert isinstance(refused.value, Fatal)
