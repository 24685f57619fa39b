"""The schema: from the migrations, from the metadata, and append-only."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from migrations.__main__ import config, main
from reactor.audit.chain import verify
from reactor.audit.schema import HEAD, REVISIONS
from reactor.audit.strays import Strays
from reactor.audit.walk import Walk
from tests.unit.audit.logs import FIRST_RELEASE, document, entry, opened, rows

_SCHEMA = (
    "SELECT type, name, tbl_name, sql FROM sqlite_master"
    " WHERE name NOT LIKE '%alembic%' ORDER BY type, name"
)


async def test_upgrade_from_nothing_equals_the_metadata(tmp_path: Path) -> None:
    migrated, made = tmp_path / "migrated.sqlite", tmp_path / "made.sqlite"
    assert main(["upgrade", str(migrated)]) == 0
    async with opened(made):
        pass
    assert rows(migrated, _SCHEMA) == rows(made, _SCHEMA)
    version = "SELECT version_num FROM alembic_version"
    assert rows(migrated, version) == rows(made, version) == [(HEAD,)]


def test_downgrade_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    assert main(["upgrade", str(path)]) == 0
    assert main(["downgrade", str(path)]) == 0
    assert rows(path, _SCHEMA) == []
    assert main(["upgrade", str(path)]) == 0


async def test_a_log_of_the_first_release_is_proved_as_it_lies_and_as_it_is_migrated(
    tmp_path: Path,
) -> None:
    path = tmp_path / "log.sqlite"
    shutil.copy(FIRST_RELEASE, path)
    refs = rows(path, "SELECT * FROM refs ORDER BY 1, 2, 3")
    assert rows(path, "SELECT version_num FROM alembic_version") == [("0001",)]
    before = await verify(str(path))
    assert (before.problem, before.rows) == (None, 115)
    assert refs

    assert main(["upgrade", str(path)]) == 0
    assert await verify(str(path)) == before
    assert rows(path, "SELECT count(*) FROM refs") == [(len(refs),)]

    assert main(["downgrade", str(path), "0001"]) == 0
    assert await verify(str(path)) == before
    assert rows(path, "SELECT * FROM refs ORDER BY 1, 2, 3") == refs


def test_a_log_that_is_migrated_while_it_is_proved_is_proved_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    shutil.copy(FIRST_RELEASE, path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        walk, strays = Walk(), Strays()
        walk.begin(connection)
        walk.page(connection)
        assert not walk.finish(connection)
        strays._after = (b"digest", "run", 1)
        assert main(["upgrade", str(path)]) == 0
        while not walk.finish(connection):
            walk.page(connection)
        while not strays.finish(connection):
            strays.page(connection)
        assert walk.rows == 115


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        ("DELETE FROM refs WHERE seq = 5", "the reference of row"),
        ("DELETE FROM documents WHERE id = 3", "is missing or edited"),
        ("INSERT INTO refs SELECT digest, run, 1 FROM refs LIMIT 1", "belongs to no row"),
        ("INSERT INTO documents (digest, body) VALUES (zeroblob(32), '{}')", "belongs to no row"),
    ],
)
async def test_what_is_wrong_with_a_log_of_the_first_release_is_found(
    tmp_path: Path, edit: str, problem: str
) -> None:
    path = tmp_path / "log.sqlite"
    shutil.copy(FIRST_RELEASE, path)
    with closing(sqlite3.connect(path)) as connection, connection:
        for trigger in ("refs_no_delete", "documents_no_delete"):
            connection.execute(f"DROP TRIGGER {trigger}")
        connection.execute(edit)
    assert problem in str((await verify(str(path))).problem)


def test_the_known_revisions_are_those_of_the_migrations(tmp_path: Path) -> None:
    scripts = ScriptDirectory.from_config(config(tmp_path / "log.sqlite"))
    walked = [script.revision for script in scripts.walk_revisions()]
    assert tuple(reversed(walked)) == REVISIONS
    assert scripts.get_current_head() == HEAD


async def test_a_file_that_is_behind_is_migrated_when_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    assert main(["upgrade", str(path)]) == 0
    assert main(["downgrade", str(path)]) == 0
    async with opened(path) as journal:
        journal.append(entry())
        assert await journal.commit()
    assert rows(path, "SELECT version_num FROM alembic_version") == [(HEAD,)]


def test_alembic_is_never_loaded_beside_the_writer() -> None:
    # Nor are the modules that only other rooms need.
    script = (
        "import sys, reactor.audit.journal, reactor.audit.query, reactor.audit.chain\n"
        "found = {'alembic', 'mako', 'litestar', 'kubernetes_asyncio'} & set(sys.modules)\n"
        "sys.exit(', '.join(found) or 0)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


_REFUSED = [
    "UPDATE entries SET detail = '{}' WHERE seq = 2",
    "UPDATE entries SET hash = zeroblob(32)",
    "DELETE FROM entries WHERE seq = 2",
    "REPLACE INTO entries SELECT * FROM entries WHERE seq = 2",
    "INSERT OR REPLACE INTO entries SELECT position + 100, run, seq, at, kind, namespace, split,"
    " service, outcome, actor, reconcile, resource_version, detail, documents, hash"
    " FROM entries WHERE seq = 2",
    "UPDATE documents SET body = '{}'",
    "DELETE FROM documents",
    "REPLACE INTO documents SELECT id, digest, 'x' FROM documents",
    "REPLACE INTO documents (digest, body) SELECT digest, 'x' FROM documents",
    "UPDATE refs SET position = position + 1",
    "DELETE FROM refs",
    "UPDATE runs SET version = 'x'",
    "UPDATE runs SET host = 'x'",
    "UPDATE runs SET started = 0",
    "UPDATE runs SET settings = '{}'",
    "UPDATE runs SET cluster_domain = 'x'",
    "UPDATE runs SET id = 'x'",
    "UPDATE runs SET cut = -1",
    "DELETE FROM runs",
    "REPLACE INTO runs SELECT * FROM runs",
]


@pytest.fixture
async def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.sqlite"
    async with opened(path) as journal:
        journal.append(entry(documents=(document("a"),)))
        journal.append(entry("synced", outcome="patched"))
        assert await journal.commit()
    return path


@pytest.mark.parametrize("statement", _REFUSED)
def test_what_was_written_can_be_neither_changed_nor_removed(log: Path, statement: str) -> None:
    with closing(sqlite3.connect(log)) as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute(statement)


def test_a_document_that_is_replaced_by_the_same_keeps_its_references(log: Path) -> None:
    refs = "SELECT document, position FROM refs JOIN documents ON id = document"
    before = rows(log, refs)
    with closing(sqlite3.connect(log)) as connection, connection:
        connection.execute(
            "REPLACE INTO documents (digest, body) SELECT digest, body FROM documents"
        )
        connection.execute("REPLACE INTO documents SELECT id + 7, digest, body FROM documents")
    assert rows(log, refs) == before != []


def test_cut_and_end_of_a_run_may_change_and_rows_below_the_cut_may_go(log: Path) -> None:
    with closing(sqlite3.connect(log)) as connection:
        connection.execute("UPDATE runs SET ended = 5")
        connection.execute("UPDATE runs SET cut = 2")
        connection.execute("DELETE FROM refs WHERE position = 2")
        connection.execute("DELETE FROM documents")
        connection.execute("DELETE FROM entries WHERE seq <= 2")
        with pytest.raises(sqlite3.IntegrityError, match="above the cut stay"):
            connection.execute("DELETE FROM entries WHERE seq = 3")


def test_the_migrations_say_in_one_line_what_is_wrong(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "text"
    path.write_text("no database at all, but long enough to be read as the header of one " * 20)
    assert main(["upgrade", str(path)]) == 1
    assert capfd.readouterr().err == "file is not a database\n"
    assert main(["sideways", str(path)]) == 2
