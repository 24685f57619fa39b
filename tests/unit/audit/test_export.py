"""An export holds every row that passes, as text, and says that it does."""

from __future__ import annotations

import csv
import io
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from reactor.audit.query import Filters, Reader
from reactor.audit.query.export import COLUMNS, Format
from tests.unit.audit.indexing import catch_up
from tests.unit.audit.logs import document, entry, eventually, opened, rows


async def text(path: Path, form: Format, **filters: Any) -> str:
    parts = [part async for part in Reader(url=str(path)).export(Filters(**filters), form)]
    return b"".join(parts).decode()


@pytest.fixture
async def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.sqlite"
    async with opened(path) as journal:
        for number in range(30):
            journal.append(
                entry(
                    ("observed", "translated", "synced")[number % 3],
                    f"web-{number % 2}",
                    at=1_600_000_000_000_000 + number,
                    split=None if number == 4 else "split",
                    outcome='say "no", or\nyes' if number == 2 else None,
                    detail=b'{"weight":1e400,"n":12345678901234567890.10,"message":"full disk"}'
                    if number == 5
                    else b"{}",
                    documents=tuple(document(f"{number}.{n}") for n in range(number % 4)),
                )
            )
        assert await journal.commit()
    return path


async def told(path: Path, **filters: Any) -> list[Any]:
    """The rows as the pages tell them."""
    page = await Reader(url=str(path)).entries(Filters(**filters), limit=1000, order="oldest")
    return list(page.entries)


@pytest.mark.parametrize("indexed", [True, False])
@pytest.mark.parametrize(
    "filters",
    [{}, {"service": "web-1"}, {"kind": "synced", "since": 1_600_000_000_000_010},
     {"text": "disk"}, {"service": "none"}, {"split": "split", "until": 1_600_000_000_000_020}],
)  # fmt: skip
async def test_a_line_is_a_row_and_the_last_one_says_complete(
    log: Path, filters: dict[str, Any], indexed: bool
) -> None:
    if indexed:
        await catch_up(log)
    *lines, last = (await text(log, "ndjson", **filters)).splitlines()
    rows = await told(log, **filters)
    assert json.loads(last) == {"export": "complete", "rows": len(rows)}
    assert len(lines) == len(rows)
    for line, row in zip(lines, rows, strict=True):
        found = json.loads(line)
        assert tuple(found) == COLUMNS
        assert found["documents"] == [digest.hex() for digest in row.digests]
        assert found["hash"] == row.hash.hex()
        for name in ("run", "seq", "kind", "split", "service", "outcome"):
            assert found[name] == getattr(row, name)


async def test_times_and_numbers_leave_as_they_are(log: Path) -> None:
    lines = (await text(log, "ndjson")).splitlines()
    row = lines[6]
    assert '"at":"2020-09-13T12:26:40.000005Z"' in row
    assert '"detail":{"weight":1e400,"n":12345678901234567890.10,"message":"full disk"}' in row


async def test_comma_separated_values_are_read_back(log: Path) -> None:
    exported = await text(log, "csv")
    assert exported.endswith("\r\n")
    *records, last = list(csv.reader(io.StringIO(exported, newline="")))
    header, *found = records
    assert tuple(header) == COLUMNS
    assert last == ["# complete: 32 rows"]
    rows = await told(log)
    assert len(found) == len(rows)
    for record, row in zip(found, rows, strict=True):
        values = dict(zip(COLUMNS, record, strict=True))
        assert values["outcome"] == (row.outcome or "")
        assert values["detail"] == row.detail
        assert json.loads(values["documents"]) == [digest.hex() for digest in row.digests]


async def test_a_bundle_has_each_document_before_the_first_row_that_refers_to_it(
    log: Path,
) -> None:
    *lines, last = (await text(log, "bundle")).splitlines()
    assert json.loads(last) == {"export": "complete", "rows": 32}
    told = [json.loads(line) for line in lines]
    documents = [line["document"] for line in told if "document" in line]
    assert len(documents) == len(set(documents)) == sum(number % 4 for number in range(30))
    known = set()
    for line in told:
        if "document" in line:
            known.add(line["document"])
            body = json.dumps(line["object"], separators=(",", ":")).encode()
            assert sha256(body).hexdigest() == line["document"]
        else:
            assert known.issuperset(line["documents"])
    rows = [line for line in lines if "document" not in json.loads(line)]
    assert rows == (await text(log, "ndjson")).splitlines()[:-1]


async def test_rows_that_come_meanwhile_are_left_for_the_next(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    async with opened(path) as journal:
        for _ in range(10):
            journal.append(entry())
        assert await journal.commit()
        export = Reader(url=str(path)).export(Filters(kind="translated"), "ndjson")
        assert await anext(export) == b""
        first = await anext(export)
        journal.append(entry())
        assert await journal.commit()
        rest = b"".join([part async for part in export])
    assert first.count(b"\n") == 10
    assert json.loads(rest) == {"export": "complete", "rows": 10}


async def test_rows_that_go_before_they_are_told_are_said_to_be_missing(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    now = 200 * 86_400_000_000
    async with opened(path, clock=lambda: now) as journal:
        for _ in range(1200):
            journal.append(entry(at=now))
        assert await journal.commit()
    export = Reader(url=str(path)).export(Filters(), "ndjson")
    assert await anext(export) == b""
    assert (await anext(export)).count(b"\n") == 500
    now += 31 * 86_400_000_000
    async with opened(path, clock=lambda: now):
        await eventually(lambda: rows(path, "SELECT min(position) > 1200 FROM entries") == [(1,)])
    rest = b"".join([part async for part in export]).splitlines()
    assert json.loads(rest[-1])["export"] == "truncated"
