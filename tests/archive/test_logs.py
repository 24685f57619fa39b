"""The archive answers while it can, the local log when it can't, and the answer says which."""

from __future__ import annotations

import asyncio
import csv
import io
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
import pytest

from reactor.audit.archive import logs as logs_module
from reactor.audit.archive import shipper as shipping_module
from reactor.audit.archive.logs import Logs
from reactor.audit.archive.reader import CONNECTIONS
from reactor.audit.archive.verdict import ArchiveVerdict
from reactor.audit.pace import AT_ONCE, Pace
from reactor.audit.query import Filters, Reader
from reactor.audit.query.archived import Lag
from reactor.audit.query.export import Format
from reactor.audit.query.history import history
from reactor.audit.slots import WAITING
from reactor.audit.trouble import Crowded, Unavailable
from tests.archive.postgres import Postgres
from tests.archive.shipping import level, reading, shipping, until, write
from tests.unit.audit.logs import document, entry, opened
from tests.unit.audit.test_history import Story, paged, told


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipping_module, "LONGEST", 0.5)
    monkeypatch.setattr(logs_module, "AGAIN", 0.0)


async def test_the_archive_answers_over_all_replicas_and_the_local_log_without_it(
    postgres: Postgres, database: str, tmp_path: Path
) -> None:
    paths = [tmp_path / "one.sqlite", tmp_path / "two.sqlite"]
    for path in paths:
        async with opened(path) as log:
            write(log, 60)
            assert await log.commit()
    url = postgres.url(database)
    async with shipping(url, paths[1]) as other:
        await until(level(other))
    async with shipping(url, paths[0]) as shipper, reading(url, cluster="one") as archive:
        await until(level(shipper))
        logs = Logs(archive=archive, local=Reader(url=str(paths[0])), shipping=shipper)
        assert logs.source() == "archive"
        proved = await logs.verify()
        assert isinstance(proved, ArchiveVerdict)
        assert (proved.rows, len(proved.anchors)) == (124, 2)
        assert (await logs.verify(*proved.anchors)).problem is None
        told = await logs.stats()
        assert told.rows == 62
        assert told.archive is not None
        assert told.archive.rows == 124
        assert (told.lag, len(told.archive.writers)) == (Lag(0, 0.0, None), 0)
        page = await logs.entries(Filters(), limit=100)
        assert len({row.run for row in page.entries}) == 2
        assert page.next is not None
        rest = await logs.entries(Filters(), limit=100, cursor=page.next)
        assert len(page.entries) + len(rest.entries) == 124
        assert len(await logs.runs()) == 2
        mine = [row for row in page.entries if row.run == min(r.run for r in page.entries)]
        assert await logs.entry(mine[0].run, mine[0].seq) == mine[0]
        # What nobody was given, but can be asked for, is no fault of the archive.
        assert await archive.entry("-" * 36, 1) is None
        odd = await logs.entries(Filters(), limit=1, cursor=f"v1.<{10**19}")
        assert len(odd.entries) == 1
        changes = await history(logs, "default", "split-1", limit=3)
        assert [change.actor for change in changes.changes] == ["kubectl"] * 3
        # What isn't shipped yet is found all the same.
        async with opened(paths[0]) as log:
            log.append(entry(documents=(document("fresh"),)))
            assert await log.commit()
            assert await logs.entry(log.run, 2) is not None
            assert await logs.document(document("fresh").digest) is not None
        assert await logs.document(b"x" * 32) is None
        shipper.committed(3)
        await until(level(shipper))

        await asyncio.to_thread(postgres.stop)
        shipper.committed(1)
        local = await logs.entries(Filters(), limit=100)
        assert {row.run for row in local.entries} <= {run.id for run in await logs.runs()}
        # An export that the archive fails at is begun anew.
        exported = b"".join([part async for part in logs.export(Filters(), "ndjson")])
        assert exported.splitlines()[-1].startswith(b'{"export": "complete"')
        await until(lambda: shipper.trouble is not None)
        assert logs.source().startswith("local; archive-lacks-rows=")
        told = await logs.stats()
        assert told.archive is None
        assert told.lag is not None
        assert told.lag.trouble is not None
        assert (await logs.verify()).rows == told.rows
        with pytest.raises(Unavailable, match="the archive can't be asked"):
            await logs.verify(*proved.anchors)
        # A page of the archive leads on to the same place in the local log.
        onward = await logs.entries(Filters(), limit=1, cursor=page.next)
        assert onward.entries == () or onward.entries[0].at <= page.entries[-1].at
        await asyncio.to_thread(postgres.start)
        await until(level(shipper))
        # And the other way round.
        back = await logs.entries(Filters(), limit=5, cursor=local.next or local.previous)
        assert len(back.entries) <= 5
        assert logs.source() == "archive"


@pytest.mark.parametrize("limit", [1, 2, 20])
async def test_what_a_replica_that_stands_by_saw_too_is_no_further_change(
    postgres: Postgres, database: str, tmp_path: Path, limit: int
) -> None:
    url = postgres.url(database)
    leader, standby = tmp_path / "leader.sqlite", tmp_path / "standby.sqlite"
    async with opened(leader) as log:
        story = Story(log)
        story.seen(1, type="added", actor="alice")
        story.decided("created")
        story.seen(2, actor="bob")
        story.decided("failed", message="no")
        story.decided("patched")
        story.seen(2, type="deleted", actor="unknown")
        story.decided("deleted", seen=False)
        assert await log.commit()
    async with opened(standby) as log:
        # It lags: what it tells of first lies behind the leader's next change.
        late = Story(log, second=4)
        late.seen(1, type="added", actor="unknown")
        late.seen(2, actor="unknown")
        late.at = story.at
        late.seen(2, type="deleted", actor="unknown")
        assert await log.commit()
    for path in (leader, standby):
        async with shipping(url, path, retention=10_000 * 86400.0) as shipper:
            await until(level(shipper))

    async with reading(url, cluster="one") as archive:
        found = await paged(archive, limit=limit)

    assert found == await told(leader, limit=limit)
    assert [change.ended and change.ended.outcome for change in found] == [
        *("deleted", "patched", "created")
    ]


async def test_that_too_many_ask_is_no_fault_of_the_archive(
    postgres: Postgres, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs_module, "AGAIN", 60.0)
    path, url, pace = tmp_path / "log.sqlite", postgres.url(database), Pace()
    async with opened(path) as log:
        write(log, 3)
        assert await log.commit()
    async with (
        shipping(url, path) as shipper,
        reading(url, cluster="one") as archive,
        AsyncExitStack() as others,
    ):
        await until(level(shipper))
        local = Reader(url=str(path), pace=pace)
        logs = Logs(archive=archive, local=local, shipping=shipper)
        page = await local.entries(Filters(), limit=1)
        for _ in range(AT_ONCE):
            await others.enter_async_context(pace.turn())
        waiting = [asyncio.create_task(local.runs()) for _ in range(WAITING)]
        await asyncio.sleep(0)
        with pytest.raises(Crowded):
            await logs.entries(Filters(), cursor=page.next)
        assert logs.source() == "archive"
        await others.aclose()
        await asyncio.gather(*waiting)
        asked = [asyncio.create_task(logs.runs()) for _ in range(CONNECTIONS + WAITING + 1)]
        ended, _ = await asyncio.wait(asked)
        assert [type(one.exception()) for one in ended if one.exception()] == [Crowded]
        assert logs.source() == "archive"


@pytest.mark.parametrize("form", ["ndjson", "csv"])
async def test_an_export_is_the_same_from_the_archive(
    postgres: Postgres, database: str, tmp_path: Path, form: Format
) -> None:
    path = tmp_path / "log.sqlite"
    async with opened(path) as log:
        write(log, 700)
        log.append(entry(detail=b'{"message":"a \\"quoted\\", w\\u00f6rd\\nin lines"}', split=None))
        assert await log.commit()
    url = postgres.url(database)
    async with shipping(url, path) as shipper, reading(url, cluster="one") as archive:
        await until(level(shipper))
        for filters in (Filters(), Filters(kind="synced"), Filters(text="large"), Filters(run="x")):
            local = b"".join([part async for part in Reader(url=str(path)).export(filters, form)])
            found = b"".join([part async for part in archive.export(filters, form)])
            assert read(found, form) == read(local, form)


def read(text: bytes, form: Format) -> tuple[list[object], str]:
    """The rows, by run and seq, and the last line."""
    body, _, last = text.decode().rstrip().rpartition("\n")
    if form == "ndjson":
        rows = [msgspec.json.decode(line) for line in body.splitlines()]
        return sorted(rows, key=lambda row: (row["run"], row["seq"])), last
    records = list(csv.reader(io.StringIO(body, newline="")))
    return [records[:1], *sorted(records[1:], key=lambda row: (row[0], int(row[1])))], last
