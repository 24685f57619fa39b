"""`verify` finds any edit, and names the first."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import uvloop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reactor.audit.chain import Anchor, verify
from reactor.audit.row import COLUMNS
from reactor.audit.schema import TRIGGERS
from tests.unit.audit.logs import crash, document, entry, journal, opened, rows

_RUNS = ("started", "ended", "version", "host", "settings", "cluster_domain", "cut")


def edit(path: Path, sql: str, *parameters: object) -> int:
    """Change the file as someone would who doesn't mind the triggers."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for trigger in TRIGGERS:
            connection.execute(f"DROP TRIGGER IF EXISTS {trigger}")
        return connection.execute(sql, parameters).rowcount


async def _write(path: Path) -> None:
    """Three runs; the second one crashed."""
    for number in range(3):
        log = journal(path)
        await log.open()
        for row in range(5):
            name = f"{number}-{row}"
            log.append(
                entry(
                    name=name,
                    split="web-split",
                    actor="kubectl",
                    reconcile=name,
                    resource_version=str(row),
                    documents=(document(name), document(f"{row}")),
                )
            )
            log.append(entry("synced", name, reconcile=name, outcome="patched"))
        assert await log.commit()
        await (crash(log) if number == 1 else log.close())


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("chain") / "log.sqlite"
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_write(path))
    return path


@pytest.fixture
def log(written: Path, tmp_path: Path) -> Path:
    path = tmp_path / "copy.sqlite"
    shutil.copy(written, path)
    return path


async def test_an_untouched_log_is_proved(log: Path) -> None:
    verdict = await verify(str(log))
    assert (verdict.problem, verdict.rows) == (None, 35)
    assert verdict.anchor is not None
    assert (await verify(str(log), Anchor.parse(str(verdict.anchor)))).problem is None


_CHANGED: dict[type, st.SearchStrategy[Any]] = {
    int: st.integers(-(2**40), 2**40),
    str: st.text(max_size=20),
    bytes: st.binary(min_size=32, max_size=32),
}


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_any_edit_of_any_column_of_any_row_is_found(
    written: Path, tmp_path: Path, data: st.DataObject
) -> None:
    path = tmp_path / "edited.sqlite"
    shutil.copy(written, path)
    position = data.draw(st.integers(1, 35), label="position")
    column = data.draw(st.sampled_from(COLUMNS), label="column")
    ((before,),) = rows(path, f"SELECT {column} FROM entries WHERE position = ?", position)
    options = [st.none()] if before is not None else []
    options += [
        values for kind, values in _CHANGED.items() if before is None or isinstance(before, kind)
    ]
    after = data.draw(st.one_of(options).filter(lambda value: value != before), label="after")
    try:
        edit(path, f"UPDATE entries SET {column} = ? WHERE position = ?", after, position)
    except sqlite3.IntegrityError:
        return  # the schema itself refuses it: NULL where there must be a value, a place taken
    if rows(path, f"SELECT {column} FROM entries WHERE {column} IS ?", after) == []:
        return  # stored as something else, which is what it was
    problem = (await verify(str(path))).problem
    assert problem is not None
    if column not in ("position", "run", "seq"):
        ((run, seq),) = rows(path, "SELECT run, seq FROM entries WHERE position = ?", position)
        assert f"{run}:{seq}" in problem


async def test_the_first_of_several_edits_is_named(log: Path) -> None:
    edit(log, "UPDATE entries SET actor = 'someone' WHERE position IN (9, 20, 31)")
    ((run, seq),) = rows(log, "SELECT run, seq FROM entries WHERE position = 9")
    verdict = await verify(str(log))
    assert verdict.problem == (
        f"row {run}:{seq} isn't what was written, or the row before it is missing"
    )
    assert verdict.rows == 8


@pytest.mark.parametrize("position", range(1, 35))
async def test_any_removed_row_is_found(log: Path, position: int) -> None:
    edit(log, "DELETE FROM entries WHERE position = ?", position)
    assert (await verify(str(log))).problem is not None


async def test_removed_rows_are_found_though_the_rest_is_renumbered(log: Path) -> None:
    edit(log, "DELETE FROM entries WHERE position = 5")
    edit(log, "UPDATE entries SET position = -position WHERE position > 5")
    edit(log, "UPDATE entries SET position = -position - 1 WHERE position < 0")
    edit(log, "UPDATE entries SET seq = -seq WHERE position > 4 AND position < 13")
    edit(log, "UPDATE entries SET seq = -seq - 1 WHERE seq < 0")
    assert "isn't what was written" in str((await verify(str(log))).problem)


async def test_swapped_rows_are_found(log: Path) -> None:
    for old, new in ((5, -1), (6, 5), (-1, 6)):
        edit(log, "UPDATE entries SET position = ? WHERE position = ?", new, old)
    assert (await verify(str(log))).problem is not None


@pytest.mark.parametrize("kept", [0, 1, 2])
async def test_a_removed_run_is_found(log: Path, kept: int) -> None:
    runs = [run for (run,) in rows(log, "SELECT id FROM runs ORDER BY id")]
    edit(log, "DELETE FROM runs WHERE id = ?", runs[kept])
    assert (await verify(str(log))).problem == f"run {runs[kept]} is missing"


async def test_a_run_removed_with_all_its_rows_is_found(log: Path) -> None:
    (_, (run,), _) = rows(log, "SELECT id FROM runs ORDER BY id")
    for table, column in (("entries", "run"), ("refs", "run"), ("runs", "id")):
        edit(log, f"DELETE FROM {table} WHERE {column} = ?", run)
    assert (await verify(str(log))).problem is not None


@pytest.mark.parametrize("column", _RUNS)
@pytest.mark.parametrize("number", [0, 1, 2])
async def test_any_edit_of_a_run_is_found(log: Path, column: str, number: int) -> None:
    runs = [run for (run,) in rows(log, "SELECT id FROM runs ORDER BY id")]
    assert edit(log, f"UPDATE runs SET {column} = 7 WHERE id = ?", runs[number]) == 1
    assert runs[number] in str((await verify(str(log))).problem)


async def test_an_invented_run_is_found(log: Path) -> None:
    edit(
        log,
        "INSERT INTO runs SELECT 'f' || substr(id, 2), started, ended, version, host,"
        " settings, cluster_domain, 0 FROM runs LIMIT 1",
    )
    assert "are missing" in str((await verify(str(log))).problem)


async def test_an_edited_or_removed_document_is_found(log: Path) -> None:
    ((digest,),) = rows(log, "SELECT digest FROM documents WHERE body LIKE '%1-3%'")
    ((run, seq),) = rows(log, "SELECT run, seq FROM refs WHERE digest = ?", digest)
    expected = f"document {digest.hex()} of row {run}:{seq} is missing or edited"
    edit(log, "UPDATE documents SET body = '{}' WHERE digest = ?", digest)
    assert (await verify(str(log))).problem == expected
    edit(log, "DELETE FROM documents WHERE digest = ?", digest)
    assert (await verify(str(log))).problem == expected


async def test_a_removed_reference_is_found(log: Path) -> None:
    edit(log, "DELETE FROM refs WHERE seq = 4")
    assert "the reference of row" in str((await verify(str(log))).problem)


async def test_only_an_anchor_shows_that_the_tail_was_cut_off(log: Path) -> None:
    anchor = (await verify(str(log))).anchor
    edit(log, "DELETE FROM entries WHERE position > 33")
    edit(log, "UPDATE runs SET ended = NULL WHERE id = (SELECT max(id) FROM runs)")
    assert (await verify(str(log))).problem is None
    problem = (await verify(str(log), anchor)).problem
    assert problem == f"the anchor {anchor} is no row: the log's tail was cut off"


async def test_an_anchor_with_another_hash_shows_that_the_chain_was_written_anew(
    log: Path,
) -> None:
    anchor = (await verify(str(log))).anchor
    assert anchor is not None
    problem = (await verify(str(log), anchor._replace(hash="0" * 64))).problem
    assert problem == f"row {anchor.run}:{anchor.seq} has another hash than the anchor"


@pytest.mark.parametrize("text", ["", "a:b:c", "x" * 100])
def test_an_anchor_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="RUN:SEQ:HASH"):
        Anchor.parse(text)


async def test_a_log_is_proved_while_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    async with opened(path) as log:
        for number in range(1500):
            log.append(entry(name=str(number)))
        assert (await verify(str(path))).problem is None
        assert await log.commit()
        verdict = await verify(str(path))
        assert (verdict.problem, verdict.rows) == (None, 1501)
