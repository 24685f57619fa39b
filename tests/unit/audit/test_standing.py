"""How a profile stood at a moment, what made it so, and when nobody knows any more."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from reactor.audit.entry import Entry
from reactor.audit.journal import Journal
from reactor.audit.query import Reader
from reactor.audit.query.standing import Standing, standing
from reactor.model.meta import Document
from tests.unit.audit.logs import document, entry, opened

START = 1_700_000_000_000_000


def wants(weight: str) -> list[dict[str, str]]:
    return [{"authority": "a", "weight": weight}]


def row(kind: Any, second: int, detail: dict[str, object], **fields: Any) -> Entry:
    return entry(kind, at=START + second * 1_000_000, detail=msgspec.json.encode(detail), **fields)


def seen(second: int, weight: str, *, actor: str = "smi-adaptor", type: str = "modified") -> Entry:
    body = msgspec.json.encode({"at": second, "spec": {"dstOverrides": wants(weight)}})
    found = Document(document(body.decode()).digest, body)
    return row("observed", second, {"type": type}, actor=actor, documents=(found,))


def written(log: Journal, second: int, weight: str, *, desired: bool = False) -> None:
    plan: dict[str, object] = {"type": "patch"} if desired else {"overrides": wants(weight)}
    wanted = wants(weight) if desired else None
    reconcile = f"{log.run}-{second}"
    log.append(row("translated", second, {"plan": plan, "desired": {"overrides": wanted}},
                   reconcile=reconcile))  # fmt: skip
    log.append(row("synced", second + 1, {"plan": "patch"}, outcome="patched", reconcile=reconcile))


async def stood(path: Path, second: int | None = None) -> Standing:
    at = None if second is None else START + second * 1_000_000
    return await standing(Reader(url=str(path)), "default", "web", at=at)


def told(found: Standing) -> tuple[str | None, str | None, int | None]:
    """The weight, by whom, and since which second."""
    weight = None if found.overrides is None else str(found.overrides[0].weight)
    second = None if found.entry is None else (found.entry.at - START) // 1_000_000
    return weight, found.actor, second


@pytest.mark.parametrize("desired", [False, True])
async def test_who_only_saw_it_or_changed_something_else_did_not_make_it_so(
    tmp_path: Path, desired: bool
) -> None:
    path = tmp_path / "log.sqlite"
    async with opened(path) as log:
        log.append(seen(1, "5", actor="helm", type="added"))
        log.append(seen(2, "5", actor="kubectl-annotate"))
        written(log, 10, "7", desired=desired)
        log.append(seen(12, "7", type="echo"))
        for second in range(20, 80):
            log.append(seen(second, "7", actor="kubectl-label"))
        log.append(seen(90, "8", actor="mallory"))
        log.append(seen(91, "8", actor="kubectl-label"))
        assert await log.commit()
    assert told(await stood(path, 2)) == ("5", "helm", 1)
    for second in (11, 12, 13, 79):
        assert told(await stood(path, second)) == ("7", "smi-adaptor", 11)
    assert (await stood(path, 79)).outcome == "patched"
    assert told(await stood(path)) == ("8", "mallory", 90)


async def test_what_retention_or_nobody_kept_is_not_known_and_not_called_gone(
    tmp_path: Path,
) -> None:
    path = tmp_path / "log.sqlite"
    async with opened(path) as log:
        written(log, 10, "7")
        log.append(seen(20, "8"))
        assert await log.commit()
    assert await stood(path, 9) == Standing(None)
    assert await stood(path, 10) == Standing(None)
    with closing(sqlite3.connect(path)) as connection:
        # As after a cut between the decision and its end, and with a document that is lost.
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in names.fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("DELETE FROM entries WHERE kind IN ('started', 'translated')")
        connection.execute("DELETE FROM documents")
        connection.commit()
    assert await stood(path, 11) == Standing(None)
    assert await stood(path, 20) == Standing(None)


async def test_a_clock_that_steps_back_amid_a_write_hides_nothing(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    async with opened(path) as log:
        written(log, 50, "7")
        written(log, 10, "8")
        assert await log.commit()
    assert told(await stood(path)) == ("8", "smi-adaptor", 11)
    assert told(await stood(path, 11)) == ("8", "smi-adaptor", 11)


@pytest.mark.parametrize(
    ("second", "lost"), [(5, False), (19, False), (20, True), (40, True), (None, True)]
)
async def test_rows_lost_since_then_are_told_of(
    tmp_path: Path, second: int | None, lost: bool
) -> None:
    path = tmp_path / "log.sqlite"
    times = {name: START + at * 1_000_000 for name, at in (("first", 20), ("last", 29))}
    async with opened(path) as log:
        log.append(row("gap", 1, {"rows": 1, "first": 0, "last": 1, "reason": "before"}))
        log.append(seen(2, "5"))
        log.append(row("gap", 30, {"rows": 3, **times, "reason": "the disk was full"}))
    found = await stood(path, second)
    assert told(found)[0] == "5"
    assert (found.gap is not None and (found.gap.at - START) // 1_000_000 == 30) is lost


async def test_a_gap_is_found_however_far_the_search_index_is_behind(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    async with opened(path) as log:
        log.append(seen(2, "5"))
        log.append(row("gap", 30, {"rows": 3, "first": START, "last": START * 2, "reason": "full"}))
    with closing(sqlite3.connect(path)) as connection:
        plan = connection.execute(
            "EXPLAIN QUERY PLAN SELECT position FROM entries WHERE kind = 'gap'"
            " AND +position BETWEEN 1 AND 9 ORDER BY +position LIMIT 5"
        ).fetchall()
    assert "entries_gaps" in str(plan)
    assert (await stood(path)).gap is not None
