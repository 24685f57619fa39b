"""The one writer: order, groups, and staying out of the way."""

from __future__ import annotations

import asyncio
import os
import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from reactor.audit.buffer import Bounds
from reactor.audit.chain import verify
from reactor.audit.file import identity
from reactor.audit.retention import Retention
from reactor.errors import Fatal
from tests.unit.audit.logs import (
    SMALL,
    crash,
    document,
    entry,
    eventually,
    journal,
    opened,
    rows,
)

_UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def _damage(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _content(path: Path) -> bytes:
    return path.read_bytes()


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm", ".lock"):
        path.with_name(path.name + suffix).unlink()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.sqlite"


async def test_rows_keep_the_order_in_which_they_came(path: Path) -> None:
    async with opened(path) as log:
        for number in range(1000):
            log.append(entry(name=str(number)))
        assert await log.commit()
        assert log.backlog == 0
        assert log.rows == 1001
        found = rows(path, "SELECT seq, service FROM entries WHERE seq > 1 ORDER BY position")
        assert found == [(number + 2, str(number)) for number in range(1000)]
    assert (await verify(str(path))).problem is None


async def test_a_run_tells_of_itself_from_start_to_stop(path: Path) -> None:
    async with opened(path) as log:
        assert _UUID7.fullmatch(log.run)
        assert rows(path, "SELECT ended FROM runs") == [(None,)]
    ((run, version, host, settings, domain, ended),) = rows(
        path, "SELECT id, version, host, settings, cluster_domain, ended FROM runs"
    )
    assert (run, version, host, domain) == (log.run, "1.2.3", "node", "cluster.local")
    assert msgspec.json.decode(settings) == {"orphans": "delete"}
    found = rows(path, "SELECT run, seq, kind, at FROM entries ORDER BY position")
    assert [row[:3] for row in found] == [(run, 1, "started"), (run, 2, "stopped")]
    assert found[-1][3] == ended


async def test_runs_sort_in_the_order_of_starts_even_when_the_clock_is_set_back(path: Path) -> None:
    runs = []
    for hour in (3, 2, 1, 1):
        async with opened(path, clock=lambda hour=hour: hour * 3_600_000_000) as log:
            runs.append(log.run)
    assert runs == sorted(runs)
    assert (await verify(str(path))).problem is None


async def test_a_document_is_stored_once_however_often_it_is_referred_to(path: Path) -> None:
    a, b = document("a"), document("b")
    async with opened(path) as log:
        for _ in range(3):
            log.append(entry(documents=(a, b)))
            log.append(entry(documents=(b, b)))
            assert await log.commit()
    async with opened(path) as log:
        log.append(entry(documents=(a,)))
    assert rows(path, "SELECT body FROM documents ORDER BY body") == [
        (a.body.decode(),),
        (b.body.decode(),),
    ]
    assert rows(path, "SELECT count(*) FROM refs") == [(10,)]


async def test_one_sync_serves_all_who_wait(path: Path) -> None:
    groups: list[int] = []
    async with opened(path, on_commit=lambda count, seconds: groups.append(count)) as log:

        async def call(number: int) -> bool:
            log.append(entry(name=str(number)))
            return await log.commit()

        assert all(await asyncio.gather(*(call(number) for number in range(200))))
        assert sum(groups) == 200
        assert len(groups) <= 4


async def test_a_commit_with_nothing_to_wait_for_returns_at_once(path: Path) -> None:
    async with opened(path) as log:
        assert await log.commit()
        log.append(entry())
        assert await log.commit()
        assert await log.commit()


async def test_what_was_appended_before_the_end_is_kept(path: Path) -> None:
    async with opened(path) as log:
        for number in range(700):
            log.append(entry(name=str(number)))
    assert rows(path, "SELECT count(*), max(kind = 'stopped') FROM entries") == [(702, 1)]
    assert not await log.commit()


async def test_a_lock_held_for_long_lets_one_caller_wait_a_second_and_then_nobody(
    path: Path,
) -> None:
    async with opened(path, bounds=SMALL) as log:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            log.append(entry(name="0", at=1_000))
            began = time.monotonic()
            assert not await log.commit()
            assert 0.5 < time.monotonic() - began < 10.0
            assert log.degraded is not None
            assert "locked by another program" in log.degraded

            began = time.monotonic()
            for number in range(1, 200):
                log.append(entry(name=str(number), at=1_000 + number))
                assert not await log.commit()
            assert time.monotonic() - began < 20.0  # a tenth of a second each
            assert log.backlog <= 52
            assert log.gaps == pytest.approx(149, abs=2)
            lost = log.gaps
            other.execute("ROLLBACK")
        await eventually(lambda: log.degraded is None and log.backlog == 0)
        log.append(entry(name="after"))
        assert await log.commit()
    found = rows(path, "SELECT kind, service, detail FROM entries ORDER BY position")
    kept = 200 - lost
    assert [row[1] for row in found[1 : kept + 1]] == [str(number) for number in range(kept)]
    gap = msgspec.json.decode(found[kept + 1][2])
    assert found[kept + 1][0] == "gap"
    assert (gap["rows"], gap["first"], gap["last"]) == (lost, 1_000 + kept, 1_199)
    assert "locked" in gap["reason"]
    assert [row[1] for row in found[kept + 2 :]] == ["after", None]
    assert (await verify(str(path))).problem is None


async def test_a_database_locked_at_the_start_is_waited_for_while_serving(path: Path) -> None:
    async with opened(path):
        pass
    log = journal(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        await log.open()
        assert time.monotonic() - began < 30.0
        assert log.degraded is not None
        log.append(entry())
        assert not await log.commit()
        assert (await log.recall()).known
        other.execute("ROLLBACK")
    await eventually(lambda: log.degraded is None)
    assert await log.commit()
    await log.close()
    found = rows(path, "SELECT kind FROM entries WHERE run = ? ORDER BY seq", log.run)
    assert found == [("started",), ("translated",), ("stopped",)]


async def test_the_buffer_is_bounded_in_bytes_too(path: Path) -> None:
    async with opened(path, bounds=Bounds(rows=10_000, size=100_000)) as log:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            for number in range(100):
                log.append(entry(documents=(document(f"{number}" + "x" * 10_000),)))
            assert log.backlog < 15
            assert log.backlog_bytes <= 100_000
            other.execute("ROLLBACK")
        await eventually(lambda: log.backlog == 0)
        assert log.gaps > 85
    assert rows(path, "SELECT count(*) FROM entries WHERE kind = 'gap'") == [(1,)]


@pytest.mark.parametrize("replaced", [False, True], ids=["deleted", "replaced"])
async def test_a_file_that_is_gone_is_written_anew_without_losing_a_row(
    path: Path, replaced: bool
) -> None:
    async with opened(path) as log:
        log.append(entry(name="before", documents=(document("a"),)))
        assert await log.commit()
        before = identity(path)
        _remove(path)
        if replaced:
            _damage(path, b"something else")
        log.append(entry(name="between"))
        await eventually(lambda: log.degraded is not None)
        await eventually(lambda: log.degraded is None and log.backlog == 0)
        assert identity(path) not in (None, before)
        log.append(entry(name="after", documents=(document("a"),)))
        assert await log.commit()
    found = rows(path, "SELECT service FROM entries WHERE service IS NOT NULL ORDER BY position")
    assert found == [("before",), ("between",), ("after",)]
    verdict = await verify(str(path))
    assert (verdict.problem, verdict.rows) == (None, 5)
    kept = [found.read_text() for found in path.parent.glob("*.found-*")]
    assert kept == (["something else"] if replaced else [])


async def test_a_second_writer_waits_and_says_so(path: Path) -> None:
    async with opened(path) as first:
        second = journal(path)
        opening = asyncio.create_task(second.open())
        await eventually(lambda: second.waiting is not None)
        assert second.waiting is not None
        assert str(path) in second.waiting
        assert not opening.done()
        first.append(entry())
        assert await first.commit()
    await opening
    assert second.waiting is None
    assert second.run > first.run
    await second.close()


async def test_waiting_for_another_writer_can_be_given_up(path: Path) -> None:
    async with opened(path):
        second = journal(path)
        opening = asyncio.create_task(second.open())
        await eventually(lambda: second.waiting is not None)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        assert second.waiting is None


async def test_the_end_of_a_crashed_run_is_written_once_nothing_of_it_is_open(path: Path) -> None:
    first, second = journal(path), journal(path)
    await first.open()
    first.append(entry(at=77, reconcile="r1"))
    assert await first.commit()
    await crash(first)
    await second.open()
    assert [row.reconcile for row in (await second.recall()).open] == ["r1"]
    assert rows(path, "SELECT ended FROM runs WHERE id = ?", first.run) == [(None,)]
    second.append(entry("synced", reconcile="r1", outcome="interrupted"))
    assert await second.commit()
    assert (await second.recall()).open == ()
    await second.close()
    async with opened(path):
        assert rows(path, "SELECT ended FROM runs WHERE id = ?", first.run) == [(77,)]
        assert (await verify(str(path))).problem is None


async def _refused(path: Path | str) -> str:
    with pytest.raises(Fatal) as refused:
        async with opened(Path(path)):
            pass
    assert "\n" not in str(refused.value)
    return str(refused.value)


async def test_a_path_that_can_not_be_written_is_named_with_what_to_do(tmp_path: Path) -> None:
    missing = await _refused(tmp_path / "none" / "log.sqlite")
    assert "can't be written" in missing or "no directory" in missing
    assert "-audit-url" in missing
    directory = tmp_path / "directory"
    directory.mkdir()
    assert "is a directory" in await _refused(directory)
    assert "-audit-url" in await _refused("/proc/log.sqlite")


async def test_a_damaged_file_is_named_with_what_to_do(path: Path) -> None:
    _damage(path, os.urandom(8192))
    assert "damaged or no SQLite database" in await _refused(path)
    async with opened(path.with_name("other")):
        pass
    whole = _content(path.with_name("other"))
    _damage(path, whole[:100] + b"\xff" * 5000 + whole[5100:])
    assert "restore it, or move it away" in await _refused(path)


async def test_the_database_of_another_program_is_left_alone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (a)")
    assert "another program" in await _refused(path)
    assert rows(path, "SELECT name FROM sqlite_master") == [("theirs",)]


async def test_a_newer_schema_is_left_alone(path: Path) -> None:
    async with opened(path):
        pass
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    assert "written by a newer release" in await _refused(path)


@pytest.mark.parametrize("url", ["postgresql://host/log", "sqlite://", ":memory:", "", "a://b:c/d"])
def test_a_url_that_names_no_file_is_refused(url: str) -> None:
    with pytest.raises(Fatal) as refused:
        journal(Path("unused"), url=url)
    assert refused.value.code == 2


async def test_a_url_and_a_path_name_the_same_file(path: Path) -> None:
    for url in (f"sqlite:///{path}", f"sqlite+aiosqlite:///{path}", str(path)):
        assert journal(path, url=url).path == path


async def test_odd_names_of_files_work(tmp_path: Path) -> None:
    path = tmp_path / "a b?c#d%20é.sqlite"
    async with opened(path, retention=Retention()):
        pass
    assert path.exists()
    assert (await verify(str(path))).problem is None
