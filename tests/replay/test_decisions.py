"""Recorded decisions made again: the same, different field by field, or why not at all."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from reactor.audit.query.batches import ROWS
from reactor.audit.query.filters import Filters
from reactor.replay import jobs
from reactor.replay.difference import Field
from reactor.replay.report import Summary, text
from reactor.replay.source import LogFile
from reactor.translate import decide
from reactor.translate.decision import Decision, Finding, Unchanged
from reactor.translate.situation import Asked
from tests.replay.logs import AT, changes, row, write
from tests.unit.translate.situations import profile, situation, split, wanted

PAIR = split("canary", ("web-v1", 90), ("web-v2", 10))


def replayed(path: Path, filters: Filters | None = None, processes: int = 1) -> tuple[Summary, str]:
    source = LogFile(path)
    filters = filters or Filters()
    summary = Summary()
    found = jobs.parts(source, filters, source.span(filters), jobs=processes)
    return summary, "\n".join(text(found, summary))


def test_what_this_release_recorded_it_decides_again(tmp_path: Path) -> None:
    live = profile(wanted(("web-v1", "90"), ("web-v2", "10")))
    known = [
        situation(PAIR),
        situation(PAIR, profile=live),
        situation(profile=live, evidence="proved"),
        situation(split("bad", ("web-v1", "-1")), PAIR),
    ]
    summary, told = replayed(write(tmp_path / "log", map(row, known)))
    assert summary.clean
    assert told == "4 decisions: 4 the same, 0 different, 0 not decodable"


def test_what_differs_is_told_field_by_field_with_its_place(tmp_path: Path) -> None:
    here = situation(PAIR)
    today = decide(here)
    other = Decision(
        msgspec.structs.replace(
            today.desired,
            overrides=wanted(("web-v1", "900m"), ("web-v2", "10"), ("web-v3", "1")),
            findings=(Finding("WeightsScaled", "canary", "were multiplied"),),
        ),
        Unchanged(),
    )
    summary, told = replayed(write(tmp_path / "log", [row(here), row(here, other, at=AT + 1)]))
    assert (summary.rows, summary.same, summary.different) == (2, 1, 1)
    first, *lines = told.splitlines()
    run, _, rest = first.partition(":")
    assert len(run) == 36
    assert rest == "3  2026-01-01T00:00:00.000001Z  shop/web (split canary)"
    assert lines[:2] == [
        '    desired.overrides[0].weight: "900m" -> "90"',
        '    desired.overrides[2]: {"authority":"web-v3.shop.svc.cluster.local","weight":"1"}'
        " -> (absent)",
    ]
    assert '    plan.type: "unchanged" -> "create"' in lines
    assert lines[-1] == "2 decisions: 1 the same, 1 different, 0 not decodable"


def test_rows_that_can_not_be_replayed_are_counted_with_the_reason(tmp_path: Path) -> None:
    here = situation(PAIR)
    broken = msgspec.structs.replace(row(situation()), detail=b'{"attempt": "many"}')
    few = row(here, documents=())
    path = write(tmp_path / "log", [row(situation()), row(here), row(here), broken, few])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TRIGGER documents_no_delete")
        connection.execute("DELETE FROM documents")
    summary, told = replayed(path)
    assert (summary.rows, summary.same) == (5, 1)
    assert not summary.clean
    lines = told.splitlines()
    assert lines[0] == "5 decisions: 1 the same, 0 different, 4 not decodable"
    assert lines[1].startswith("  not decodable: 2, first ")
    assert lines[1].endswith(":3: a document that it refers to is not in the log")
    assert "its detail is of another form" in lines[2]
    assert "it tells of more objects (1) than it refers to documents (0)" in lines[3]


@pytest.mark.parametrize("where", ["", "rules", "repairs", "asked", "splits"])
def test_what_depended_on_more_than_is_known_here_is_not_called_the_same(
    tmp_path: Path, where: str
) -> None:
    here = situation(PAIR, asked=Asked("uid", "other", wanted(("web-v1", "1"))))
    plain = row(here)
    detail = msgspec.json.decode(plain.detail)
    found = detail.setdefault(where, {}) if where else detail
    (found[0] if where == "splits" else found)["later"] = 1
    later = msgspec.structs.replace(plain, detail=msgspec.json.encode(detail))
    summary, told = replayed(write(tmp_path / "log", [plain, later]))
    assert (summary.rows, summary.same) == (2, 1)
    assert "its detail is of another form: Object contains unknown field `later`" in told


def test_an_empty_log_has_nothing_the_same(tmp_path: Path) -> None:
    summary, _ = replayed(write(tmp_path / "log", []))
    assert not summary.clean


def test_filters_leave_out_what_they_do_not_name(tmp_path: Path) -> None:
    rows = [row(here, at=AT + number) for number, here in enumerate(changes(6))]
    other = situation(split("other", ("web-v1", 1)))
    path = write(tmp_path / "log", [*rows, row(other, at=AT + 6)])
    with closing(sqlite3.connect(path)) as connection:
        (run,) = connection.execute("SELECT id FROM runs").fetchone()
    for filters, count in (
        (Filters(), 7),
        (Filters(split="canary"), 6),
        (Filters(split="canary", namespace="shop"), 6),
        (Filters(service="web", namespace="shop"), 7),
        (Filters(namespace="elsewhere"), 0),
        (Filters(since=AT + 2, until=AT + 5), 3),
        (Filters(run=run), 7),
        (Filters(run="none"), 0),
    ):
        assert replayed(path, filters)[0].rows == count, filters


def test_several_processes_tell_the_same_in_the_same_order(tmp_path: Path) -> None:
    count = 2 * ROWS + 7
    rows = (
        row(here, Decision(decide(here).desired, Unchanged()) if number % 100 == 0 else None)
        for number, here in enumerate(changes(count))
    )
    path = write(tmp_path / "log", rows)
    alone, together = replayed(path), replayed(path, processes=2)
    assert alone == together
    assert alone[0].different == count // 100 + 1


def test_a_log_is_read_in_parts_that_have_a_limit(tmp_path: Path) -> None:
    path = write(tmp_path / "log", map(row, changes(2 * ROWS + 1)))
    source = LogFile(path)
    filters = Filters(kind="translated")
    sizes = [
        (len(batch.rows), len(batch.documents))
        for batch in source.batches(filters, source.span(filters))
    ]
    assert sizes == [(ROWS, ROWS), (ROWS, ROWS), (1, 1)]


def test_a_field_that_one_side_lacks_is_absent_in_json() -> None:
    assert msgspec.json.encode(Field("plan.name", today="web")) == (
        b'{"field":"plan.name","today":"web"}'
    )
