"""Pages of the log: newest first, filtered, to the end and no further."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from reactor.audit.query import Filters, Reader
from reactor.audit.row import Row
from reactor.errors import Fatal, ReactorError
from tests.unit.audit.logs import document, entry, opened

_NAMES = ("kind", "namespace", "split", "service", "outcome")


async def _write(path: Path) -> None:
    for _ in range(2):
        async with opened(path, clock=lambda: 0) as log:
            for number in range(120):
                log.append(
                    entry(
                        ("observed", "translated", "synced")[number % 3],
                        f"service-{number % 4}",
                        namespace=f"namespace-{number % 5}",
                        split=f"split-{number % 7}" if number % 2 else None,
                        outcome="patched" if number % 3 == 2 else None,
                        at=1000 + number * 10 - (number % 4) * 25,
                        documents=(document(str(number)),),
                    )
                )


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("query") / "log.sqlite"
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_write(path))
    return path


async def _all(path: Path, filters: Filters, limit: int) -> list[Row]:
    reader = Reader(url=str(path))
    found: list[Row] = []
    cursor = None
    while True:
        page = await reader.entries(filters, limit=limit, cursor=cursor)
        found += page.entries
        assert len(page.entries) == limit or page.cursor is None
        if page.cursor is None:
            return found
        cursor = page.cursor


def _matches(row: Row, filters: Filters) -> bool:
    return (
        all(getattr(filters, name) in (None, getattr(row, name)) for name in _NAMES)
        and (filters.since is None or row.at >= filters.since)
        and (filters.until is None or row.at < filters.until)
    )


def _maybe(*values: Any) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), st.sampled_from(values))


@given(
    filters=st.builds(
        Filters,
        kind=_maybe("observed", "translated", "synced", "started", "none"),
        namespace=_maybe("namespace-1", "namespace-4", "none"),
        split=_maybe("split-1", "split-6"),
        service=_maybe("service-1", "service-3"),
        outcome=_maybe("patched", "failed"),
        since=st.none() | st.integers(900, 2300),
        until=st.none() | st.integers(900, 2300),
    ),
    limit=st.sampled_from([1, 7, 100, 1000]),
)
async def test_the_pages_hold_every_row_that_matches_newest_first(
    path: Path, filters: Filters, limit: int
) -> None:
    everything = await _all(path, Filters(), 1000)
    assert [row.position for row in everything] == list(range(244, 0, -1))
    expected = [row for row in everything if _matches(row, filters)]
    assert await _all(path, filters, max(limit, len(expected) // 5, 1)) == expected


async def test_a_span_of_very_many_rows_is_searched_from_its_newest(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reactor.audit.query._FEW", 10)
    everything = await _all(path, Filters(), 1000)
    for filters in (
        Filters(until=1500),
        Filters(since=1100, until=1900, kind="synced"),
        Filters(since=1500, namespace="namespace-1"),
        Filters(until=5),
    ):
        expected = [row for row in everything if _matches(row, filters)]
        assert await _all(path, filters, 37) == expected


async def test_a_page_shows_all_columns(path: Path) -> None:
    page = await Reader(url=str(path)).entries(Filters(split="split-5", kind="synced"), limit=1)
    (row,) = page.entries
    assert row.outcome == "patched"
    assert row.detail == "{}"
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
        second = await reader.entries(Filters(), limit=5, cursor=first.cursor)
    seen = [row.service for row in (*first.entries, *second.entries)]
    assert seen == [str(number) for number in range(9, -1, -1)]


@pytest.mark.parametrize("limit", [0, -1, 1001])
async def test_a_limit_out_of_range_is_refused(path: Path, limit: int) -> None:
    with pytest.raises(ValueError, match="limit must be 1 to 1000"):
        await Reader(url=str(path)).entries(Filters(), limit=limit)


@pytest.mark.parametrize(
    "cursor", ["", "?", "abc", "MTp4", "Mjo1", "MTo5OTk5OTk5OTk5OTk5OTk5OTk5OTk5"]
)
async def test_a_cursor_of_others_is_refused(path: Path, cursor: str) -> None:
    with pytest.raises(ValueError, match="cursor is none of ours"):
        await Reader(url=str(path)).entries(Filters(), cursor=cursor)


async def test_a_log_that_is_not_there_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(ReactorError, match="can't be opened") as refused:
        await Reader(url=str(tmp_path / "none.sqlite")).entries(Filters())
    assert isinstance(refused.value, Fatal)
