"""A page of the archive that looks at few entries of an index at once skips nothing."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import msgspec
import pytest

from reactor.audit.archive import rule
from reactor.audit.archive.reader import ArchiveReader
from reactor.audit.query import Filters, Order, pages
from reactor.audit.query.filters import Sieve
from reactor.audit.row import Row
from tests.archive.postgres import Postgres
from tests.archive.shipping import level, reading, shipping, until
from tests.unit.audit.logs import entry, opened

_ASKED = (
    Filters(split="split-1", kind="synced", actor="kubectl"),
    Filters(split="split-2", outcome="failed"),
    Filters(service="service-1", outcome="patched"),
    Filters(namespace="default", kind="translated"),
    Filters(namespace="default", actor="kubectl"),
    Filters(outcome="patched"),
    Filters(outcome="patched", namespace="default", split="split-3"),
    Filters(actor="kubectl", service="service-2"),
    Filters(text="large weight", kind="translated"),
    Filters(text='"too large"', finding="ShadowedBy"),
    Filters(text='"is too large" "by seven"'),
    Filters(text='"large too"'),
    Filters(text='"w62 w63 w64 w65" weight'),
    Filters(text='"w9 w80"'),
    Filters(split="split-1", text='"large by seven"', finding="ShadowedBy"),
    Filters(split="split-1", actor="kubectl"),
    Filters(split="split-0", actor="kubectl"),
    Filters(actor="kubectl", split="split-1", namespace="default", kind="observed"),
    Filters(finding="ShadowedBy", text="seven", namespace="default"),
)
_ORDERS: tuple[Order, ...] = ("newest", "oldest")


async def test_pages_made_in_small_steps_hold_every_row_once(
    postgres: Postgres, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("_LOOK", "_PROBE", "_PROBE_MOST"):
        monkeypatch.setattr(rule, name, 1)
    for name, value in (("_FIRST", 5), ("_MOST", 9), ("_PROBE", 20)):
        monkeypatch.setattr(pages, name, value)
    path = tmp_path / "log.sqlite"
    async with opened(path) as log:
        for number in range(150):
            finding = {
                "reason": "ShadowedBy" if number % 2 else "InvalidWeight",
                "message": f"the weight is too large by {'seven' if number % 7 else 'one'}",
            }
            if number % 30 == 0:
                # More words than there are places for.
                finding["message"] += " ".join(f" w{word}" for word in range(80))
            log.append(
                entry(
                    ("observed", "translated", "synced")[number % 3],
                    f"service-{number % 3}",
                    split=f"split-{number % 4}",
                    outcome=("patched", "failed")[number % 5 == 0] if number % 2 else None,
                    actor="kubectl" if number % 4 == 1 else None,
                    detail=msgspec.json.encode({"desired": {"findings": [finding]}}),
                )
            )
        assert await log.commit()
    async with shipping(postgres.url(database), path) as shipper:
        await until(level(shipper))
    async with reading(postgres.url(database), cluster="one") as reader:
        rows = await _walk(reader, Filters(), "oldest")
        assert len(rows) == 152
        for filters, order in product(_ASKED, _ORDERS):
            found = await _walk(reader, filters, order)
            if order == "newest":
                found.reverse()
            assert found == list(filter(Sieve(filters).fits, rows)), (filters, order)


async def _walk(reader: ArchiveReader, filters: Filters, order: Order) -> list[Row]:
    found: list[Row] = []
    cursor: str | None = None
    while True:
        page = await reader.entries(filters, limit=7, order=order, cursor=cursor)
        found += page.entries
        cursor = page.next
        if cursor is None:
            return found
