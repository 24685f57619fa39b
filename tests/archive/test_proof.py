"""The archive's rows prove by themselves, and what is missing there is named, or known why."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import uvloop
from sqlalchemy import BigInteger, Column, Integer, LargeBinary
from sqlalchemy.dialects.postgresql import UUID

from reactor.audit.archive import partitions, schema
from reactor.audit.archive.proof import Proof
from reactor.audit.archive.verdict import ArchiveVerdict
from reactor.audit.chain import Anchor, verify
from reactor.audit.retention import Retention
from tests.archive.fixtures import new_archive
from tests.archive.postgres import Postgres
from tests.archive.shipping import level, shipping, until, write
from tests.unit.audit.logs import document, entry, opened

DAY = 86_400
NOW = int(datetime(2026, 11, 23, tzinfo=UTC).timestamp()) * 1_000_000
"""Now, in all of these."""


ONE = "cluster = (SELECT id FROM clusters WHERE name = 'one')"
CUT = "cluster = (SELECT id FROM clusters WHERE name = 'cut')"


def at(month: int, day: int = 15) -> int:
    return int(datetime(2026, month, day, tzinfo=UTC).timestamp()) * 1_000_000


@dataclass
class Archive:
    """A transaction in which the archive may be spoilt, and what is said of it."""

    connection: Any
    paths: list[Path]

    async def run(self, statement: str) -> None:
        await self.connection.execute(statement)

    async def fetch(self, query: str) -> list[tuple[Any, ...]]:
        return [tuple(found) for found in await self.connection.fetch(query)]

    async def verdict(self, *anchors: Anchor, cluster: str = "one") -> ArchiveVerdict:
        number = await self.connection.fetchval("SELECT id FROM clusters WHERE name = $1", cluster)
        return await Proof(self.connection, cluster=number, anchors=anchors).verdict()


async def write_months(path: Path, months: tuple[int, ...], *, days: int) -> None:
    """One run, with three rows a month; rows from so many days before go."""
    retention = Retention(age=float(days * DAY))
    async with opened(path, clock=lambda: at(months[0], 1), retention=retention) as log:
        for month in months:
            for day in (2, 15, 20):
                both = document("shared"), document(f"{month}-{day}")
                log.append(entry(at=at(month, day), documents=both))
        assert await log.commit()


@pytest.fixture(scope="module")
def filled(
    postgres: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, list[Path]]]:
    """Two replicas: one with three runs over five months, one with one run. Besides a cluster that
    has the first one again, and one whose log was cut before it was copied.
    """
    folder = tmp_path_factory.mktemp("proof")
    paths = [folder / f"{name}.sqlite" for name in ("one", "two", "cut")]
    name = f"proof_{uuid.uuid4().hex[:8]}"

    async def fill() -> None:
        await new_archive(postgres, name)
        for months in ((7, 8), (9, 10), (11,)):
            await write_months(paths[0], months, days=400)
            await write_months(paths[2], months, days=30)
        async with opened(paths[1], clock=lambda: at(10, 1)) as log:
            write(log, 30)
            assert await log.commit()
        for cluster, path in (
            ("one", paths[0]),
            ("one", paths[1]),
            ("two", paths[0]),
            ("cut", paths[2]),
        ):
            async with shipping(
                postgres.url(name),
                path,
                cluster=cluster,
                retention=400.0 * DAY,
                clock=lambda: NOW,
            ) as shipper:
                await until(level(shipper))

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(fill())
        yield name, paths
        runner.run(postgres.run(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest_asyncio.fixture
async def archive(postgres: Postgres, filled: tuple[str, list[Path]]) -> AsyncIterator[Archive]:
    """What a test does to it is undone."""
    name, paths = filled
    connection = await postgres.connect(name)
    undone = connection.transaction()
    await undone.start()
    yield Archive(connection, paths)
    await undone.rollback()
    await connection.close()


async def test_an_untouched_archive_is_proved_with_an_anchor_for_each_log(
    archive: Archive,
) -> None:
    verdict = await archive.verdict()
    assert verdict.problem is None
    assert verdict.remarks == ()
    locally = [await verify(str(path)) for path in archive.paths[:2]]
    assert verdict.rows == sum(one.rows for one in locally)
    assert set(verdict.anchors) == {one.anchor for one in locally}
    assert (await archive.verdict(*verdict.anchors)).problem is None


async def test_a_log_that_was_cut_before_it_was_copied_is_proved_from_the_cut_on(
    archive: Archive,
) -> None:
    verdict = await archive.verdict(cluster="cut")
    assert (verdict.problem, verdict.remarks) == (None, ())
    assert verdict.rows == (await verify(str(archive.paths[2]))).rows
    # The first row that is left, and what tells of the cut.
    ((first,),) = await archive.fetch(f"SELECT min(position) FROM entries WHERE {CUT}")
    assert first > 1
    for change, said in (
        ("UPDATE entries SET actor = 'eve'", "isn't what was written"),
        ("DELETE FROM entries", "rows between are missing"),
    ):
        undone = archive.connection.transaction()
        await undone.start()
        await archive.run(f"{change} WHERE {CUT} AND position = {first}")
        assert said in str((await archive.verdict(cluster="cut")).problem)
        await undone.rollback()
    # What tells of the cut.
    await archive.run(f"DELETE FROM entries WHERE {CUT} AND kind = 'purged'")
    assert "rows between are missing" in str((await archive.verdict(cluster="cut")).problem)


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        ("UPDATE entries SET detail = '[1]' WHERE run = '%(run)s' AND seq = 3", ":3 isn't what"),
        ("UPDATE entries SET actor = 'eve' WHERE run = '%(run)s' AND seq = 3", ":3 isn't what"),
        ("UPDATE entries SET at = at + 1 WHERE run = '%(run)s' AND seq = 3", ":3 isn't what"),
        ("UPDATE entries SET hash = decode(repeat('00', 32), 'hex') WHERE seq = 3", ":3 isn't"),
        ("UPDATE entries SET seq = 99 WHERE run = '%(run)s' AND seq = 3", "are missing"),
        (
            "UPDATE entries SET position = 99 WHERE run = '%(run)s' AND seq = 3",
            ":3 follows position 2",
        ),
        ("DELETE FROM entries WHERE run = '%(run)s' AND seq = 3", ":4 follows position 2"),
        ("DELETE FROM entries WHERE run = '%(run)s' AND seq = 1", ":2 follows position 0"),
        ("DELETE FROM entries WHERE run = '%(run)s' AND seq > 5", ":6 is missing"),
        ("DELETE FROM entries WHERE run = '%(run)s'", ":1 is missing"),
        (
            "INSERT INTO entries SELECT cluster, position, run, seq, at + 5, kind, namespace,"
            " split, service, outcome, actor, reconcile, resource_version, detail, documents, hash"
            " FROM entries WHERE run = '%(run)s' AND seq = 3",
            ":3 is there twice",
        ),
        ("DELETE FROM runs WHERE id = '%(run)s'", "run %(run)s is missing"),
        ("DELETE FROM runs WHERE id = '%(middle)s'", "rows between are missing"),
        ("DELETE FROM runs WHERE id = '%(alone)s'", "run %(alone)s is missing"),
        ("UPDATE runs SET host = 'elsewhere' WHERE id = '%(run)s'", "when it started"),
        ("UPDATE runs SET ended = ended + 1 WHERE id = '%(run)s'", "another end"),
        ("UPDATE runs SET ended = NULL WHERE id = '%(alone)s'", "another end"),
        ("UPDATE runs SET oldest = oldest + 1 WHERE id = '%(run)s'", "when, or how far"),
        ("UPDATE runs SET newest = newest + 1 WHERE id = '%(run)s'", "when, or how far"),
        ("UPDATE runs SET position = position + 1 WHERE id = '%(alone)s'", "when, or how far"),
        ("UPDATE runs SET shipped = shipped + 1 WHERE id = '%(alone)s'", "is missing"),
        ("UPDATE runs SET log = '%(alone)s' WHERE id = '%(middle)s'", "rows between are missing"),
        ("UPDATE documents SET body = '{}' WHERE body LIKE '%%shared%%'", "missing or edited"),
        ("DELETE FROM documents WHERE body LIKE '%%9-15%%'", "missing or edited"),
        ("DROP TABLE entries_202609", ":5 follows position 8"),
    ],
)
async def test_what_was_changed_or_removed_is_named(archive: Archive, edit: str, said: str) -> None:
    runs = [
        run for (run,) in await archive.fetch(f"SELECT id::text FROM runs WHERE {ONE} ORDER BY id")
    ]
    names = {"run": runs[0], "middle": runs[1], "alone": runs[2]}
    await archive.run(edit % names)
    verdict = await archive.verdict()
    assert verdict.problem is not None
    assert said % names in verdict.problem


async def test_any_edit_of_any_column_is_found(archive: Archive) -> None:
    chance = random.Random(1)
    for table in (schema.entries, schema.runs, schema.documents):
        keys = await archive.fetch(
            f"SELECT tableoid::int, ctid::text FROM {table.name} WHERE {ONE} ORDER BY 1, 2"
        )
        for column in table.columns:
            # Where a document lies is where it is looked for; another cluster's rows are its own.
            if column.name == "cluster" or (table.name, column.name) == ("documents", "at"):
                continue
            for oid, place in chance.sample(keys, 3):
                undone = archive.connection.transaction()
                await undone.start()
                changed = await archive.fetch(
                    f"UPDATE {table.name} SET {column.name} = {_other(column)}"
                    f" WHERE tableoid = {oid} AND ctid = '{place}'"
                    f" RETURNING {column.name}::text"
                )
                problem = (await archive.verdict()).problem
                await undone.rollback()
                assert problem is not None, (table.name, column.name, changed)


def _other(column: Column[Any]) -> str:
    """Another value than a row has, in SQL."""
    name = column.name
    if isinstance(column.type, BigInteger | Integer):
        return f"coalesce({name}, 0) + 1"
    if isinstance(column.type, LargeBinary):
        return f"sha256({name} || 'x'::bytea)"
    if isinstance(column.type, UUID):
        return "gen_random_uuid()"
    return f"coalesce({name}, '') || 'x'"


async def test_what_retention_dropped_is_not_missed_and_what_is_left_is_proved(
    archive: Archive,
) -> None:
    before = await archive.verdict()
    ((run, seq, kept),) = await archive.fetch(
        "SELECT run::text, seq, hash FROM entries JOIN clusters ON clusters.id = cluster"
        f" WHERE name = 'one' AND entries.at < {at(9, 1)} ORDER BY position DESC LIMIT 1"
    )
    await archive.run(f"UPDATE clusters SET retention = {80 * DAY}")
    assert [str(one) for one in await partitions.drop(archive.connection, NOW)] == [
        "202607",
        "202608",
    ]
    verdict = await archive.verdict(*before.anchors)
    assert verdict.problem is None
    assert 0 < verdict.rows < before.rows
    assert "were in months that retention dropped" in verdict.remarks[0]
    assert "is taken as it is" in verdict.remarks[1]
    last = Anchor(run, seq, kept.hex())
    assert (await archive.verdict(last)).remarks == verdict.remarks[:1]
    assert "isn't what was written" in str(
        (await archive.verdict(last._replace(hash="0" * 64))).problem
    )
    await archive.run("DELETE FROM entries WHERE position = 13")
    assert "position 12: the rows between are missing" in str((await archive.verdict()).problem)


async def test_an_anchor_shows_that_a_tail_was_cut_off_or_written_anew(archive: Archive) -> None:
    whole = await archive.verdict()
    assert whole.anchor is not None
    other = whole.anchor._replace(hash="0" * 64)
    assert "another hash" in str((await archive.verdict(other)).problem)
    run, seq, _ = whole.anchor
    for change in (
        f"DELETE FROM entries WHERE run = '{run}' AND seq = {seq}",
        f"UPDATE runs SET shipped = {seq - 1}, ended = NULL,"
        f" position = position - 1 WHERE id = '{run}'",
        "UPDATE runs SET newest = (SELECT max(at) FROM entries WHERE run = id), oldest ="
        " (SELECT min(at) FROM entries WHERE run = id)",
    ):
        await archive.run(change)
    assert (await archive.verdict()).problem is None
    assert "tail was cut off" in str((await archive.verdict(whole.anchor)).problem)


async def test_rows_that_were_lost_before_they_were_copied_are_said_to_be(
    archive: Archive,
) -> None:
    ((first, position),) = await archive.fetch(
        "SELECT run::text, position FROM entries WHERE seq = 3 ORDER BY run LIMIT 1"
    )
    await archive.run(f"DELETE FROM entries WHERE run = '{first}' AND seq = 3")
    await archive.run(
        "INSERT INTO losses SELECT cluster, id, "
        f"{position + 1}, 1, 0 FROM runs WHERE id = '{first}'"
    )
    verdict = await archive.verdict()
    assert verdict.problem is None
    assert any("1 rows before" in one for one in verdict.remarks)


async def test_each_cluster_is_proved_by_itself(archive: Archive) -> None:
    await archive.run(
        "DELETE FROM entries WHERE seq = 3 AND cluster = (SELECT id FROM clusters"
        " WHERE name = 'two')"
    )
    assert (await archive.verdict()).problem is None
    assert (await archive.verdict(cluster="two")).problem is not None
