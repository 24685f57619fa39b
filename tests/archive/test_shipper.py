"""What the local log holds comes to the archive: all of it, once, to the byte, whatever fails."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from reactor.audit.archive import batches, partitions, source
from reactor.audit.archive import database as connecting
from reactor.audit.archive import shipper as shipping_module
from reactor.audit.archive.schema import HEAD
from tests.archive.postgres import Postgres
from tests.archive.shipping import assert_the_same, level, shipping, until, write
from tests.unit.audit.logs import crash, document, entry, journal, opened


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipping_module, "LONGEST", 0.5)


async def test_rows_are_shipped_as_they_are_committed(
    postgres: Postgres, database: str, tmp_path: Path
) -> None:
    path = tmp_path / "log.sqlite"
    async with shipping(postgres.url(database), path) as shipper:
        async with opened(path, on_commit=lambda rows, _: shipper.committed(rows)) as log:
            await until(level(shipper))
            for start in range(0, 3000, 300):
                write(log, 300, start=start)
                assert await log.commit()
            # It is told of a batch's end a moment after the batch is there.
            await until(lambda: shipper.shipped == 3001 and shipper.lag_seconds == 0)
        await shipper.finish()
    await assert_the_same(postgres, database, path)
    ended = await postgres.fetch(database, "SELECT ended IS NOT NULL, shipped FROM runs")
    assert ended == [(True, 3002)]


async def test_a_server_that_is_stopped_under_load_delays_nobody_and_loses_nothing(
    postgres: Postgres, database: str, tmp_path: Path
) -> None:
    path = tmp_path / "log.sqlite"
    loop = asyncio.get_running_loop()
    async with (
        shipping(postgres.url(database), path) as shipper,
        opened(path, on_commit=lambda rows, _: shipper.committed(rows)) as log,
    ):
        await until(lambda: level(shipper)() and shipper.shipped > 0)
        slowest = 0.0
        for start in range(0, 6000, 100):
            if start == 1500:
                await asyncio.to_thread(postgres.stop)
            if start == 4500:
                await until(lambda: "can't be reached" in str(shipper.trouble))
                assert shipper.lag_rows >= 2500
                assert shipper.lag_seconds > 0
                await asyncio.to_thread(postgres.start)
            write(log, 100, start=start)
            began = loop.time()
            assert await log.commit()
            slowest = max(slowest, loop.time() - began)
        assert slowest < 3
        await until(lambda: level(shipper)() and shipper.shipped >= 6001)
        assert shipper.lost == 0
        assert shipper.failures > 0
    await assert_the_same_but_the_end(postgres, database, path)


async def assert_the_same_but_the_end(postgres: Postgres, database: str, path: Path) -> None:
    """The journal's `stopped` row is for the next start to ship."""
    async with shipping(postgres.url(database), path) as shipper:
        await until(level(shipper))
    await assert_the_same(postgres, database, path)


async def test_a_server_that_hangs_delays_nobody_and_is_given_up(
    postgres: Postgres, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connecting, "COMMAND", 0.5)
    monkeypatch.setattr(connecting, "CONNECT", 0.5)
    path = tmp_path / "log.sqlite"
    async with (
        shipping(postgres.url(database), path) as shipper,
        opened(path, on_commit=lambda rows, _: shipper.committed(rows)) as log,
    ):
        await until(lambda: level(shipper)() and shipper.shipped > 0)
        postgres.freeze()
        try:
            for start in range(0, 300, 100):
                write(log, 100, start=start)
                assert await log.commit()
            await until(lambda: "doesn't answer" in str(shipper.trouble))
        finally:
            postgres.freeze(thaw=True)
        await until(level(shipper))
    await assert_the_same_but_the_end(postgres, database, path)


@pytest.mark.parametrize("what", ["backend", "server"])
async def test_a_kill_amid_a_batch_loses_and_doubles_nothing(
    postgres: Postgres, database: str, tmp_path: Path, what: str
) -> None:
    path = tmp_path / "log.sqlite"
    async with opened(path) as log:
        for start in range(0, 6000, 1000):
            write(log, 1000, start=start)
            assert await log.commit()
    async with shipping(postgres.url(database), path) as shipper:
        for at_least in (500, 3500):
            await until(lambda enough=at_least: shipper.shipped >= enough)  # type: ignore[misc]  # a default is no argument
            failed = shipper.failures
            if what == "backend":
                # The postmaster then restarts all of them: a crash of the server, in effect.
                await asyncio.to_thread(postgres.kill_backends, "smi-adaptor")
            else:
                await asyncio.to_thread(postgres.kill)
                await asyncio.to_thread(postgres.start)
            await until(lambda before=failed: shipper.failures > before)  # type: ignore[misc]  # the same
        await until(level(shipper))
    await assert_the_same(postgres, database, path)


async def test_a_batch_that_comes_again_adds_what_is_missing_of_it(
    postgres: Postgres, database: str, tmp_path: Path
) -> None:
    path = tmp_path / "log.sqlite"
    async with opened(path) as log:
        write(log, 300)
        assert await log.commit()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        batch = source.batch(connection, source.Place(0, "", 0), frozenset())
    assert batch is not None
    archive = await connecting.connect(postgres.url(database))
    await partitions.make(archive, batch.months)
    cluster = await batches.join(archive, "one", 60.0)
    origin = batch.entries[0][1]
    first = batch._replace(entries=batch.entries[:100])
    for part in (first, batch, batch):
        await batches.write(archive, cluster, origin, part)
    await archive.close()
    await assert_the_same(postgres, database, path)


async def test_an_archive_restored_from_an_older_backup_gets_again_what_it_lacks(
    postgres: Postgres, database: str, tmp_path: Path
) -> None:
    path = tmp_path / "log.sqlite"
    async with (
        shipping(postgres.url(database), path) as shipper,
        opened(path, on_commit=lambda rows, _: shipper.committed(rows)) as log,
    ):
        write(log, 700)
        assert await log.commit()
        await until(lambda: shipper.shipped == 701)
        backup = await postgres.dump(database)
        write(log, 2000, start=700)
        assert await log.commit()
        await until(lambda: shipper.shipped == 2701)
        await postgres.restore(database, backup)
        # Nothing more has to happen for it to be noticed.
        await until(lambda: shipper.shipped == 2701 + 2000)
        write(log, 10, start=2700)
        assert await log.commit()
        await until(lambda: shipper.shipped == 2701 + 2010)
        assert shipper.lost == 0
    await assert_the_same_but_the_end(postgres, database, path)


async def test_replicas_and_clusters_ship_side_by_side(
    postgres: Postgres, empty: str, tmp_path: Path
) -> None:
    """They start at once on a database without a schema: one of them migrates it."""
    logs = [(cluster, tmp_path / f"{cluster}-{n}") for cluster in ("one", "two") for n in (1, 2)]
    for _, path in logs:
        for _ in range(2):
            async with opened(path) as log:
                write(log, 600)
                assert await log.commit()
    async with (
        shipping(postgres.url(empty), logs[0][1], cluster="one") as a,
        shipping(postgres.url(empty), logs[1][1], cluster="one") as b,
        shipping(postgres.url(empty), logs[2][1], cluster="two") as c,
        shipping(postgres.url(empty), logs[3][1], cluster="two") as d,
    ):
        for shipper in (a, b, c, d):
            await until(level(shipper))
            assert shipper.shipped == 1204
    for name in ("one", "two"):
        paths = [path for cluster, path in logs if cluster == name]
        await assert_the_same(postgres, empty, *paths, cluster=name)
    assert await postgres.fetch(empty, "SELECT count(*) FROM runs") == [(8,)]
    assert await postgres.fetch(empty, "SELECT count(DISTINCT log) FROM runs") == [(4,)]


async def test_a_run_that_crashed_gets_its_end_when_the_next_one_knows_it(
    postgres: Postgres, database: str, tmp_path: Path
) -> None:
    path = tmp_path / "log.sqlite"
    dying = journal(path)
    await dying.open()
    write(dying, 1)
    assert await dying.commit()
    async with shipping(postgres.url(database), path) as shipper:
        await until(level(shipper))
        assert await postgres.fetch(database, "SELECT ended FROM runs") == [(None,)]
        await crash(dying)
        async with opened(path):
            shipper.committed(1)
            await until(lambda: shipper.shipped == 3)
            ended = await postgres.fetch(database, "SELECT ended IS NOT NULL FROM runs ORDER BY id")
    assert ended == [(True,), (False,)]
    await assert_the_same_but_the_end(postgres, database, path)


async def test_rows_purged_before_they_were_shipped_are_counted_and_recorded(
    postgres: Postgres, database: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "log.sqlite"
    async with (
        opened(path) as log,
        shipping(postgres.url(database), path) as shipper,
    ):
        write(log, 100)
        assert await log.commit()
        shipper.committed(100)
        await until(lambda: shipper.shipped == 101)
        await asyncio.to_thread(postgres.stop)
        write(log, 400, start=100)
        assert await log.commit()
        shipper.committed(400)
        await until(lambda: shipper.trouble is not None)
        cut(path, 301)
        await until(lambda: shipper.lost == 200)
        await asyncio.to_thread(postgres.start)
        await until(level(shipper))
        assert shipper.lost == 200
        assert shipper.shipped == 101 + 200
        (run,) = await postgres.fetch(database, "SELECT id::text FROM runs")
        assert await postgres.fetch(database, "SELECT run::text, position, rows FROM losses") == [
            (*run, 302, 200)
        ]
    said = [record for record in caplog.records if "before they were shipped" in record.message]
    assert [record.__dict__["rows"] for record in said] == [200]
    async with shipping(postgres.url(database), path) as later:
        await until(level(later))
        assert later.lost == 0


def cut(path: Path, position: int) -> None:
    """What retention does, without its `purged` row."""
    with closing(sqlite3.connect(path, timeout=5)) as connection, connection:
        connection.execute("UPDATE runs SET cut = ?", (position,))
        for table in ("refs", "entries"):
            connection.execute(f"DELETE FROM {table} WHERE position <= ?", (position,))


async def test_a_log_that_was_begun_anew_is_shipped_from_its_start(
    postgres: Postgres, database: str, tmp_path: Path
) -> None:
    path, other = tmp_path / "log.sqlite", tmp_path / "other.sqlite"
    for file, count in ((path, 50), (other, 80)):
        async with opened(file) as log:
            write(log, count)
            assert await log.commit()
    async with shipping(postgres.url(database), path) as shipper:
        await until(level(shipper))
        kept = tmp_path / "kept.sqlite"
        path.rename(kept)
        other.rename(path)
        shipper.committed(1)
        await until(lambda: shipper.shipped == 52 + 82)
        assert shipper.lost == 0
    await assert_the_same(postgres, database, kept, path)


async def test_large_documents_are_shipped_a_few_at_a_time(
    postgres: Postgres, database: str, tmp_path: Path
) -> None:
    path = tmp_path / "log.sqlite"
    async with opened(path) as log:
        for number in range(8):
            log.append(entry(documents=(document(f"{number}" * 900_000),)))
        assert await log.commit()
    async with shipping(postgres.url(database), path) as shipper:
        await until(level(shipper))
    await assert_the_same(postgres, database, path)


async def test_what_cannot_be_used_is_said_without_the_password(
    postgres: Postgres, database: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "log.sqlite"
    async with opened(path):
        for url, expected in (
            (postgres.url(database, password="wrong-s3cret"), "refuses the user or the password"),
            (postgres.url("nowhere"), "make that database"),
            (postgres.url(database).replace(str(postgres.port), "1"), "can't be reached"),
        ):
            async with shipping(url, path) as shipper:
                await until(lambda s=shipper: s.failures > 0)  # type: ignore[misc]  # a default is no argument
                assert expected in str(shipper.trouble)
                assert "127.0.0.1" in str(shipper.trouble)
                # Who asks /ready needn't know where the archive is, nor what it's called.
                (told,) = shipper.remarks()
                assert expected in told
                assert "127.0.0.1" not in told
                assert database not in told
    assert "s3cret" not in caplog.text


async def test_an_archive_restored_by_half_is_said_in_one_line_and_left_alone_until_it_is_whole(
    postgres: Postgres, database: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await postgres.execute(database, "ALTER TABLE terms RENAME TO away")
    path = tmp_path / "log.sqlite"
    async with opened(path) as log:
        write(log, 10)
        assert await log.commit()
    async with shipping(postgres.url(database), path) as shipper:
        await until(lambda: shipper.failures > 1)
        expected = "was restored by half: terms missing or without key"
        assert expected in str(shipper.trouble)
        assert caplog.text.count(expected) == 1
        await postgres.execute(database, "ALTER TABLE away RENAME TO terms")
        await until(level(shipper))
    await assert_the_same(postgres, database, path)


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        ("ALTER TABLE losses DROP CONSTRAINT losses_key", "half: losses missing or without key"),
        ("DROP TABLE entries CASCADE", "half: entries missing or without key"),
        ("DELETE FROM alembic_version", "half: it has tables, and no version"),
    ],
)
async def test_half_an_archive_is_one_without_a_table_a_key_or_a_version(
    postgres: Postgres, database: str, damage: str, expected: str
) -> None:
    await postgres.execute(database, damage)
    url = postgres.url(database)
    connection = await connecting.connect(url)
    with pytest.raises(connecting.Away, match=expected):
        await connecting.ready(connection, url)
    await connection.close()


async def test_an_archive_of_a_newer_release_is_left_alone(
    postgres: Postgres, database: str, tmp_path: Path
) -> None:
    await postgres.execute(database, "UPDATE alembic_version SET version_num = '9999'")
    path = tmp_path / "log.sqlite"
    async with opened(path), shipping(postgres.url(database), path) as shipper:
        await until(lambda: shipper.failures > 0)
        assert "schema 9999, made by a newer release" in str(shipper.trouble)
        await postgres.execute(database, f"UPDATE alembic_version SET version_num = '{HEAD}'")
        await until(level(shipper))
