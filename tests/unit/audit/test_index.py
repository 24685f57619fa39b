"""The search index: made from the log, and made anew whenever it isn't this log's."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from reactor.audit import engine
from reactor.audit.engine import Connection
from reactor.audit.index import builder
from reactor.audit.index.indexer import Indexer
from reactor.audit.index.schema import BLOCK, PAGE, beside
from reactor.audit.index.words import Wanted, said, words
from reactor.audit.query import Filters, Reader
from reactor.audit.retention import Retention
from tests.unit.audit.indexing import catch_up
from tests.unit.audit.logs import entry, eventually, opened, rows
from tests.unit.audit.test_chain import edit


async def write(path: Path, count: int, message: str = "refused", **settings: object) -> None:
    async with opened(path, **settings) as log:
        for number in range(count):
            detail = f'{{"message":"{message} {number}"}}'.encode()
            log.append(entry("synced", "web", actor="someone", detail=detail))
            if number % 500 == 499:
                assert await log.commit()


async def found(path: Path, text: str) -> list[int]:
    page = await Reader(url=str(path)).entries(Filters(text=text), limit=1000)
    return sorted(row.seq for row in page.entries)


def indexed(path: Path) -> int:
    with closing(sqlite3.connect(f"file:{beside(path)}?mode=ro", uri=True)) as connection:
        try:
            (position,) = connection.execute("SELECT position FROM progress").fetchone()
        except sqlite3.Error:  # not there yet
            return 0
        return int(position)


def reached(path: Path, position: int) -> bool:
    return beside(path).exists() and indexed(path) == position


def remove_log(path: Path) -> None:
    for file in path.parent.glob(f"{path.name}*"):
        if file != beside(path):
            file.unlink()


async def test_it_follows_the_log_while_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    async with opened(path) as log:
        running = asyncio.create_task(Indexer(url=str(path)).run())
        for number in range(3):
            log.append(entry("synced", detail=b'{"message":"x"}'))
            assert await log.commit()
            await eventually(partial(reached, path, number + 2))
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert await found(path, "x") == [2, 3, 4]


async def test_it_goes_on_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    for number in range(3):
        await write(path, 2, f"time{number}")
        await catch_up(path)
        assert indexed(path) == 4 * (number + 1)
    assert await found(path, "time1") == [2, 3]


async def test_another_log_in_the_same_place_is_indexed_from_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    await write(path, 20, "before")
    await catch_up(path)
    remove_log(path)
    await write(path, 30, "after")
    # Until then the index is of no use, and isn't used.
    assert await found(path, "before") == []
    assert len(await found(path, "after")) == 30
    await catch_up(path)
    assert rows(beside(path), "SELECT count(*) FROM texts WHERE text LIKE 'before%'") == [(0,)]
    assert await found(path, "before") == []
    assert len(await found(path, "after")) == 30


async def test_what_retention_removed_goes_from_the_index_too(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    small = Retention(size=600_000)
    await write(path, 6 * BLOCK, retention=Retention())
    await catch_up(path)
    before = beside(path).stat().st_size
    async with opened(path, retention=small) as log:
        log.append(entry())
        assert await log.commit()
        await eventually(
            lambda: rows(path, "SELECT min(position) FROM entries") > [(3 * BLOCK,)], 30
        )
    await catch_up(path)
    ((oldest,),) = rows(path, "SELECT min(position) FROM entries")
    ((block,),) = rows(beside(path), "SELECT min(block) FROM blocks")
    assert block == oldest // BLOCK
    for table in ("texts", "recent"):
        ((first,),) = rows(beside(path), f"SELECT min(position) FROM {table}")
        assert first >= oldest // BLOCK * BLOCK
    assert beside(path).stat().st_size < before
    with closing(sqlite3.connect(beside(path))) as connection:
        connection.execute("INSERT INTO messages (messages, rank) VALUES ('integrity-check', 1)")


async def test_a_damaged_index_is_made_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log.sqlite"
    await write(path, 3)
    beside(path).write_bytes(b"no database at all, but long enough for its header " * 100)
    assert await found(path, "refused") == [2, 3, 4]
    monkeypatch.setattr("reactor.audit.index.indexer.AGAIN", 0.0)
    with caplog.at_level(logging.WARNING):
        running = asyncio.create_task(Indexer(url=str(path)).run())
        await eventually(partial(reached, path, 5))
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert "searching the log without it" in caplog.text
    assert await found(path, "refused") == [2, 3, 4]


async def test_a_row_that_can_not_be_read_ends_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log.sqlite"
    await write(path, 3)
    edit(path, "UPDATE entries SET detail = ? WHERE position = 3", '{"message":"\\ud800"}')
    monkeypatch.setattr("reactor.audit.index.indexer.AGAIN", 0.0)
    with caplog.at_level(logging.ERROR):
        running = asyncio.create_task(Indexer(url=str(path)).run())
        await eventually(lambda: running.done() or "searching without it" in caplog.text)
        assert not running.done()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert await found(path, "refused") == [2, 4]


async def test_a_log_that_lost_most_of_its_rows_is_indexed_at_once(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    await write(path, 3)
    edit(path, "UPDATE entries SET position = position + 100000000")
    connection = await Connection.open(engine.index(beside(path)))
    try:
        await connection.run(builder.attach, engine.uri(path, "ro"))
        await connection.run(builder.prepare)
        assert not await connection.run(builder.step)
        assert not await connection.run(builder.step)
    finally:
        await connection.close()
    assert await found(path, "refused") == [2, 3, 4]


async def test_an_index_of_another_version_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    await write(path, 3)
    await catch_up(path)
    with closing(sqlite3.connect(beside(path))) as connection:
        connection.execute("PRAGMA user_version = 99")
        connection.execute("DROP TABLE blocks")
    assert await found(path, "refused") == [2, 3, 4]
    await catch_up(path)
    assert rows(beside(path), "SELECT count(*) FROM blocks") == [(1,)]


async def test_an_index_with_small_pages_of_before_gets_large_ones_once_nobody_reads_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "log.sqlite"
    await write(path, 3)
    with closing(sqlite3.connect(beside(path), isolation_level=None)) as connection:
        connection.execute("PRAGMA page_size = 4096")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE old (value)")
        connection.execute("INSERT INTO old VALUES (1)")
        with closing(sqlite3.connect(beside(path), isolation_level=None)) as other:
            other.execute("BEGIN")
            other.execute("SELECT * FROM old").fetchall()
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                await catch_up(path)
    assert await found(path, "refused") == [2, 3, 4]
    await catch_up(path)
    assert rows(beside(path), "PRAGMA page_size") == [(PAGE,)]
    assert rows(beside(path), "PRAGMA journal_mode") == [("wal",)]
    assert await found(path, "refused") == [2, 3, 4]


@pytest.mark.parametrize(
    ("detail", "findings", "text"),
    [
        ("{}", (), ""),
        ('{"message":"Disk is FULL, at 99%"}', (), "disk is full at 99"),
        ('{"reason":"buffer full","rows":3}', (), "buffer full"),
        ('{"problem":{"reason":"NoService","message":"names none"}}', ("NoService",),
         "noservice names none"),
        ('{"desired":{"findings":[{"reason":"A","message":"b-c"},{"reason":"A"}]},'
         '"plan":{"type":"keep","reason":"waits"}}', ("A",), "a b c a waits"),
        ('{"plan":"patch"}', (), ""),
        ('{"desired":7}', (), ""),
        ("no json", (), ""),
    ],
)  # fmt: skip
def test_a_row_says_its_findings_and_messages(
    detail: str, findings: tuple[str, ...], text: str
) -> None:
    assert (said(detail).findings, said(detail).text) == (findings, text)


def test_words_are_found_in_any_case_and_without_accents() -> None:
    assert words("Zu GROSS: weight_1 'Übel-große' 日本 x") == [
        *("zu", "gross", "weight", "1", "ubel", "grosse", "日本", "x")
    ]
    assert Wanted.parse('UBEL "weight 1"').within(" ".join(words("weight_1 is übel")))
    assert not Wanted.parse('"1 weight"').within("weight 1")
    assert not Wanted.parse("eight").within("weight 1")
