"""Months are there when rows come, and go when every cluster calls them too old."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor.audit.archive import partitions
from reactor.audit.archive import shipper as shipping_module
from reactor.audit.archive.months import Month
from tests.archive.postgres import Postgres
from tests.archive.shipping import archived, assert_the_same, level, shipping, until
from tests.unit.audit.logs import document, entry, opened

DAY = 86_400


def at(year: int, month: int, day: int = 1, hour: int = 0) -> int:
    return int(datetime(year, month, day, hour, tzinfo=UTC).timestamp()) * 1_000_000


@given(st.integers(at(1970, 1), at(2200, 1)))
def test_a_moment_lies_in_its_month(moment: int) -> None:
    month = Month.of(moment)
    assert month.begin <= moment < month.next.begin
    assert Month.parse(str(month)) == month
    assert Month.of(month.begin - 1).next == month


async def months(postgres: Postgres, database: str) -> list[str]:
    found = await postgres.fetch(
        database,
        "SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid"
        " WHERE relkind = 'r' ORDER BY relname",
    )
    names = [name for (name,) in found]
    entries = [name.removeprefix("entries_") for name in names if name.startswith("entries_")]
    assert names == sorted(
        f"{table}_{m}" for table in ("documents", "entries", "terms") for m in entries
    )
    return entries


async def test_rows_of_any_month_find_a_place_and_documents_lie_in_each(
    postgres: Postgres, database: str, tmp_path: Path
) -> None:
    path = tmp_path / "log.sqlite"
    shared = document("shared")
    async with opened(path, clock=lambda: at(2026, 11, 23)) as log:
        for moment in (at(1970, 1), at(2026, 10, 31, 23), at(2026, 11), at(2031, 2, 3)):
            log.append(entry(at=moment, documents=(shared, document(str(moment)))))
        assert await log.commit()
    async with shipping(
        postgres.url(database), path, retention=100 * 366.0 * DAY, clock=lambda: at(2026, 11, 23)
    ) as shipper:
        await until(level(shipper))
    await assert_the_same(postgres, database, path)
    assert await months(postgres, database) == ["197001", "202610", "202611", "202612", "203102"]
    found = await postgres.fetch(
        database, "SELECT at FROM documents WHERE digest = $1 ORDER BY at", shared.digest
    )
    assert found == [(at(1970, 1),), (at(2026, 10),), (at(2026, 11),), (at(2031, 2),)]


async def test_a_month_goes_when_the_longest_retention_of_all_clusters_is_over(
    postgres: Postgres, database: str, tmp_path: Path
) -> None:
    now = at(2026, 11, 23)
    first, second = tmp_path / "one.sqlite", tmp_path / "two.sqlite"
    for path in (first, second):
        async with opened(path, clock=lambda: now) as log:
            for month in range(1, 12):
                log.append(entry(at=at(2026, month, 15), documents=(document(str(month)),)))
            assert await log.commit()
    url = postgres.url(database)

    async def ship(path: Path, cluster: str, days: int) -> None:
        async with shipping(
            url, path, cluster=cluster, retention=days * float(DAY), clock=lambda: now
        ) as shipper:
            await until(level(shipper))

    await ship(first, "one", 400)
    await ship(second, "two", 30)
    assert (await months(postgres, database))[:2] == ["202601", "202602"]
    before = len(await archived(postgres, database))
    await ship(first, "one", 90)
    await ship(first, "one", 90)
    # The end of July is 115 days before; that of August 84.
    assert await months(postgres, database) == ["202608", "202609", "202610", "202611", "202612"]
    # What was dropped isn't shipped again, though the local log has it still.
    assert len(await archived(postgres, database)) == before - 7
    assert await postgres.fetch(database, "SELECT count(*) FROM losses") == [(0,)]


async def test_two_that_make_the_same_months_do_not_disturb_each_other(
    postgres: Postgres, database: str
) -> None:
    connections = [await postgres.connect(database) for _ in range(4)]
    wanted = [Month(2026, number) for number in range(1, 13)]
    await asyncio.gather(*(partitions.make(each, wanted) for each in connections))
    for each in connections:
        await each.close()
    assert len(await months(postgres, database)) == 12


async def test_a_month_that_was_dropped_meanwhile_is_made_again(
    postgres: Postgres, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipping_module, "LONGEST", 0.5)
    path = tmp_path / "log.sqlite"
    async with (
        opened(path) as log,
        shipping(postgres.url(database), path, retention=20_000.0 * DAY) as shipper,
    ):
        log.append(entry(at=at(2025, 1)))
        assert await log.commit()
        shipper.committed(1)
        await until(level(shipper))
        for table in ("entries", "documents", "terms"):
            await postgres.execute(database, f"DROP TABLE {table}_202501")
        log.append(entry(at=at(2025, 1)))
        assert await log.commit()
        shipper.committed(1)
        await until(lambda: shipper.shipped == 3 and level(shipper)())
        assert await months(postgres, database)
