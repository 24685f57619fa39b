"""Every single filter's pages come from an index in their order, whatever the server knows."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from reactor.audit.archive.reader import _PLANNER
from reactor.audit.archive.store import ArchiveStore
from reactor.audit.query import Filters, Order, pages
from reactor.audit.query.cursor import Cursor
from tests.archive.explaining import Explaining, bad
from tests.archive.postgres import Postgres
from tests.archive.shipping import level, shipping, until
from tests.unit.audit.logs import document, entry, opened

DAY = 86_400_000_000
START = 1_767_225_600_000_000
"""The first of January 2026."""

SINGLE = (
    Filters(),
    Filters(kind="observed"),
    Filters(namespace="default"),
    Filters(split="split-1", namespace="default"),
    Filters(split="split-1"),
    Filters(service="service-1"),
    Filters(outcome="patched"),
    Filters(actor="kubectl"),
    Filters(reconcile="r-30"),
    Filters(finding="ShadowedBy"),
    Filters(text="large"),
    Filters(text='"is too large" weight'),
    Filters(since=START + 40 * DAY),
    Filters(until=START + 40 * DAY),
    Filters(kind="synced", since=START + 30 * DAY, until=START + 50 * DAY),
)
PAIRS = (
    Filters(split="split-1", kind="observed"),
    Filters(service="service-2", outcome="patched"),
    Filters(split="split-1", actor="kubectl"),
    Filters(namespace="default", kind="synced"),
    Filters(namespace="default", actor="kubectl"),
    Filters(kind="synced", outcome="patched"),
    Filters(kind="translated", text="weight large"),
    Filters(finding="ShadowedBy", text="by"),
)


@pytest.mark.parametrize("analyzed", [False, True], ids=["new", "analyzed"])
async def test_the_pages_of_each_filter_come_from_an_index(
    postgres: Postgres, database: str, tmp_path: Path, analyzed: bool
) -> None:
    path = tmp_path / "log.sqlite"
    async with opened(path, clock=lambda: START) as log:
        for number in range(900):
            detail = {"desired": {"findings": [{"reason": "ShadowedBy", "message": "by a"}]}}
            log.append(
                entry(
                    ("observed", "translated", "synced")[number % 3],
                    f"service-{number % 3}",
                    at=START + number * DAY // 10,
                    split=f"split-{number % 5}",
                    outcome="patched" if number % 3 == 2 else None,
                    actor="kubectl" if number % 3 == 0 else None,
                    reconcile=f"r-{number // 3}",
                    detail=msgspec.json.encode(
                        detail if number % 7 else {"message": "the weight is too large"}
                    ),
                    documents=(document(str(number % 20)),),
                )
            )
        assert await log.commit()
    clock = lambda: START + 90 * DAY  # noqa: E731 - one moment, for both
    async with shipping(postgres.url(database), path, clock=clock) as shipper:
        await until(level(shipper))
    if analyzed:
        await postgres.execute(database, "ANALYZE")
    connection = await postgres.connect(database)
    for name, value in _PLANNER.items():
        await connection.execute(f"SET {name} = {value}")
    explaining = Explaining(connection)
    store = ArchiveStore(explaining, cluster=1)
    orders: tuple[Order, ...] = ("newest", "oldest")
    for filters in (*SINGLE, *PAIRS):
        for order in orders:
            first = await pages.page(store, filters, limit=50, order=order, cursor=None)
            assert first.entries or first.partial, filters
            if first.next is not None:
                await pages.page(
                    store, filters, limit=50, order=order, cursor=Cursor.parse(first.next)
                )
    row = first.entries[0]
    assert await store.entry(row.run, row.seq) == row
    assert set(await store.documents(row.digests)) == set(row.digests)
    (run,) = await store.runs()
    assert (run.id, run.first, run.last) == (row.run, 1, 902)
    await connection.close()
    assert len(explaining.plans) > 100
    assert [found for plan in explaining.plans if (found := bad(*plan)) is not None] == []
