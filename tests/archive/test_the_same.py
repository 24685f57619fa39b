"""What the local log answers, the archive answers in the same words, each cluster for itself."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
import uvloop

from reactor.audit.archive.reader import ArchiveReader
from reactor.audit.query import Filters, Order, Reader
from reactor.audit.query.export import Format
from reactor.audit.query.history import Change, Log, history
from reactor.audit.query.standing import standing
from tests.archive.fixtures import new_archive
from tests.archive.postgres import Postgres
from tests.archive.shipping import level, reading, shipping, until
from tests.corpus import FOLDER
from tests.unit.audit.logs import rows

LOGS = {"one": "lifecycle", "two": "invalid"}


class Pair:
    """A log in its file, and in the archive beside another cluster's."""

    def __init__(self, path: Path, archive: ArchiveReader) -> None:
        self.path = path
        self.both = Reader(url=str(path)), archive

    def names(self, column: str) -> list[tuple[str, str]]:
        found = rows(
            self.path,
            f"SELECT DISTINCT namespace, {column} FROM entries"
            f" WHERE {column} IS NOT NULL AND namespace IS NOT NULL ORDER BY 1, 2",
        )
        return [tuple(names) for names in found]


@pytest.fixture(scope="module")
def shipped(postgres: Postgres) -> Iterator[str]:
    name = f"same_{uuid.uuid4().hex[:8]}"

    async def ship() -> None:
        await new_archive(postgres, name)
        for cluster, log in LOGS.items():
            async with shipping(
                postgres.url(name),
                FOLDER / f"{log}.sqlite",
                cluster=cluster,
                retention=10_000 * 86400.0,
            ) as shipper:
                await until(level(shipper))

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(ship())
        yield postgres.url(name)
        runner.run(postgres.run(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest_asyncio.fixture(params=list(LOGS))
async def pair(shipped: str, request: pytest.FixtureRequest) -> AsyncIterator[Pair]:
    async with reading(shipped, cluster=request.param) as archive:
        yield Pair(FOLDER / f"{LOGS[request.param]}.sqlite", archive)


async def told(log: Log, namespace: str, split: str) -> list[Change]:
    """All changes of a split, two at a time."""
    changes: list[Change] = []
    cursor: str | None = None
    while True:
        found = await history(log, namespace, split, limit=2, cursor=cursor)
        changes += found.changes
        cursor = found.next
        if cursor is None:
            return changes


async def test_every_split_has_the_same_history(pair: Pair) -> None:
    for namespace, split in pair.names("split"):
        local, archived = [await told(log, namespace, split) for log in pair.both]
        assert archived == local, split
        assert local


async def test_every_profile_stood_the_same_at_every_moment(pair: Pair) -> None:
    for namespace, service in pair.names("service"):
        moments = rows(
            pair.path,
            "SELECT at FROM entries WHERE namespace = ? AND service = ? ORDER BY position",
            *(namespace, service),
        )
        some = [at for (at,) in moments[:: max(1, len(moments) // 2)]]
        for at in (None, *some, *(at - 1 for at in some)):
            local, archived = [await standing(log, namespace, service, at=at) for log in pair.both]
            assert archived == local, (service, at)


async def test_both_have_the_same_runs_documents_and_figures(pair: Pair) -> None:
    local, archive = pair.both
    assert await archive.runs() == await local.runs()
    digests = [digest for (digest,) in rows(pair.path, "SELECT digest FROM documents")]
    assert await archive.documents(digests) == await local.documents(digests)
    here, there = await local.stats(), await archive.stats()
    for name in ("rows", "runs", "oldest", "newest", "holes"):
        assert getattr(there, name) == getattr(here, name), name
    assert there.archive is not None
    assert [cluster.name for cluster in there.archive.clusters] == ["one", "two"]
    assert there.archive.losses == ()


async def test_both_are_proved_up_to_the_same_row(pair: Pair) -> None:
    here, there = [await log.verify() for log in pair.both]
    assert (there.rows, there.problem, there.anchor) == (here.rows, None, here.anchor)


@pytest.mark.parametrize("form", ["ndjson", "bundle"])
async def test_both_export_the_same(pair: Pair, form: Format) -> None:
    for filters in (Filters(), Filters(kind="translated")):
        local, archived = [
            sorted(b"".join([part async for part in log.export(filters, form)]).splitlines())
            for log in pair.both
        ]
        assert archived == local


@pytest.mark.parametrize("order", ["newest", "oldest"])
async def test_both_page_through_the_same_rows_there_and_back(pair: Pair, order: Order) -> None:
    for filters in (Filters(kind="observed"), Filters(outcome="patched"), Filters(text="weights")):
        walked = []
        for log in pair.both:
            page = await log.entries(filters, limit=7, order=order)
            ahead = list(page.entries)
            while page.next is not None:
                page = await log.entries(filters, limit=7, order=order, cursor=page.next)
                ahead += page.entries
            back = list(page.entries)
            while page.previous is not None:
                page = await log.entries(filters, limit=7, order=order, cursor=page.previous)
                back = [*page.entries, *back]
            names = [(row.run, row.seq) for row in ahead]
            assert [(row.run, row.seq) for row in back] == names
            walked.append(names)
        assert walked[1] == walked[0]
