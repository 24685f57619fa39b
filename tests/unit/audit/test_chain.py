"""`verify` finds any edit, and names the first."""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import uvloop

from reactor.audit.chain import Anchor, verify
from reactor.audit.schema import TRIGGERS
from tests.unit.audit import purged
from tests.unit.audit.logs import crash, document, entry, journal, opened, rows
from tests.unit.audit.tamper import OPERATIONS, Operation, contents, first, tampered, unlocked


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


@pytest.fixture(scope="module")
def purged_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("purged") / "log.sqlite"
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(purged.write(path))
    unlocked(path)
    return path


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
async def test_what_was_tampered_with_is_found_and_named(
    purged_log: Path, tmp_path: Path, operation: Operation
) -> None:
    known = await verify(str(purged_log))
    assert known.problem is None
    assert known.anchor is not None
    before, path = contents(purged_log), tmp_path / "tampered.sqlite"
    times = 0
    for seed in range(100):
        shutil.copyfile(purged_log, path)
        if tampered(path, operation, random.Random(seed)):
            problem = (await verify(str(path), known.anchor)).problem
            wanted = first(before, contents(path))
            assert problem is not None, (seed, wanted)
            assert any(name in problem for name in wanted), (seed, wanted)
            times += 1
            if times == 2:
                return
    pytest.fail(f"{operation.name} changed the log {times} times only")


async def test_the_first_of_several_edits_is_named(log: Path) -> None:
    edit(log, "UPDATE entries SET actor = 'someone' WHERE position IN (9, 20, 31)")
    ((run, seq),) = rows(log, "SELECT run, seq FROM entries WHERE position = 9")
    verdict = await verify(str(log))
    assert verdict.problem == (
        f"row {run}:{seq} isn't what was written, or the row before it is missing"
    )
    assert verdict.rows == 8


async def test_removed_rows_are_found_though_the_rest_is_renumbered(log: Path) -> None:
    edit(log, "DELETE FROM entries WHERE position = 5")
    edit(log, "UPDATE entries SET position = -position WHERE position > 5")
    edit(log, "UPDATE entries SET position = -position - 1 WHERE position < 0")
    edit(log, "UPDATE entries SET seq = -seq WHERE position > 4 AND position < 13")
    edit(log, "UPDATE entries SET seq = -seq - 1 WHERE seq < 0")
    assert "isn't what was written" in str((await verify(str(log))).problem)


@pytest.mark.parametrize("kept", [0, 1, 2])
async def test_a_removed_run_is_found(log: Path, kept: int) -> None:
    runs = [run for (run,) in rows(log, "SELECT id FROM runs ORDER BY id")]
    edit(log, "DELETE FROM runs WHERE id = ?", runs[kept])
    assert (await verify(str(log))).problem == f"run {runs[kept]} is missing"


async def test_an_invented_run_is_found(log: Path) -> None:
    edit(
        log,
        "INSERT INTO runs SELECT 'f' || substr(id, 2), started, ended, version, host,"
        " settings, cluster_domain, 0 FROM runs LIMIT 1",
    )
    assert "are missing" in str((await verify(str(log))).problem)


async def test_an_edited_or_removed_document_is_found(log: Path) -> None:
    ((digest,),) = rows(log, "SELECT digest FROM documents WHERE body LIKE '%1-3%'")
    ((run, seq),) = rows(
        log,
        "SELECT run, seq FROM documents JOIN refs ON document = id JOIN entries USING (position)"
        " WHERE digest = ?",
        digest,
    )
    expected = f"document {digest.hex()} of row {run}:{seq} is missing or edited"
    edit(log, "UPDATE documents SET body = '{}' WHERE digest = ?", digest)
    assert (await verify(str(log))).problem == expected
    edit(log, "DELETE FROM documents WHERE digest = ?", digest)
    assert (await verify(str(log))).problem == expected


async def test_a_removed_reference_is_found(log: Path) -> None:
    edit(log, "DELETE FROM refs WHERE position = 4")
    assert "the reference of row" in str((await verify(str(log))).problem)


async def test_only_an_anchor_shows_that_the_tail_was_cut_off(log: Path) -> None:
    anchor = (await verify(str(log))).anchor
    assert anchor is not None
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


async def test_the_proof_ends_however_fast_rows_come(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    async with opened(path) as log:

        async def write(worked: float = 0.0) -> None:
            for number in range(150):
                log.append(entry(name=str(number)))
            assert await log.commit()

        await write()
        async with asyncio.timeout(45):
            verdict = await verify(str(path), rest=write)
    assert verdict.problem is None
    assert verdict.rows >= 151


async def test_rows_that_a_removed_purge_accounted_for_are_missed(
    purged_log: Path, tmp_path: Path
) -> None:
    path = tmp_path / "log.sqlite"
    shutil.copyfile(purged_log, path)
    edit(path, "DELETE FROM entries WHERE kind = 'purged'")
    problem = (await verify(str(path))).problem
    assert problem is not None
    assert "rows between are missing or moved" in problem


async def test_a_purge_that_changed_places_with_the_first_row_is_named(
    purged_log: Path, tmp_path: Path
) -> None:
    path = tmp_path / "log.sqlite"
    shutil.copyfile(purged_log, path)
    before = contents(path)
    ((oldest, purge),) = rows(
        path,
        "SELECT min(position), min(CASE kind WHEN 'purged' THEN position END) FROM entries",
    )
    edit(path, "UPDATE entries SET position = -1 WHERE position = ?", oldest)
    edit(path, "UPDATE entries SET position = ? WHERE position = ?", oldest, purge)
    edit(path, "UPDATE entries SET position = ? WHERE position = -1", purge)
    problem = (await verify(str(path))).problem
    assert problem is not None
    assert any(name in problem for name in first(before, contents(path)))


async def test_a_crashed_run_can_not_be_given_another_end(log: Path) -> None:
    (_, (crashed,), _) = rows(log, "SELECT id FROM runs ORDER BY id")
    edit(log, "UPDATE runs SET ended = NULL WHERE id = ?", crashed)
    problem = (await verify(str(log))).problem
    assert problem == f"run {crashed} has another end than the start after it gave it"
