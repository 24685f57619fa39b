"""`linkerd-smi audit --db`, on the file of a log."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from tests.audit_cli.conftest import Audit
from tests.audit_cli.story import SERVICE, SPLIT
from tests.replay.logs import write
from tests.unit.audit.logs import opened
from tests.unit.audit.test_history import Story


async def name_of(audit: Audit, log: Path, *filters: str) -> str:
    """Of the newest entry that passes."""
    ended = await audit("list", "--db", log, "-o", "name", "--limit", "1", *filters)
    return ended.out.strip()


def hidden(folder: Path) -> list[Path]:
    """Files that a command left half-written."""
    return list(folder.glob(".*"))


def everything(folder: Path) -> set[str]:
    """What is in there, but for SQLite's own files."""
    return {path.name for path in folder.iterdir() if not path.name.endswith(("-shm", "-wal"))}


async def test_the_list_tells_what_happened_newest_first(audit: Audit, log: Path) -> None:
    ended = await audit("list", "--db", log)
    assert ended.code == 0
    header, *rows = ended.out.splitlines()
    assert header.split() == ["TIME", "KIND", "ABOUT", "ACTOR", "WHAT", "ENTRY"]
    assert "version" in rows[-1]
    assert any("shop/canary" in row and "alice" in row and "split added" in row for row in rows)
    assert any("patch web-v1=50 web-v2=50" in row for row in rows)
    assert "\x1b" not in ended.out


@pytest.mark.parametrize(
    ("filters", "kinds"),
    [
        (("--actor", "bob"), {"observed"}),
        (("--outcome", "patched"), {"synced"}),
        (("-n", "shop", "--kind", "translated"), {"translated"}),
        (("--split", "canary", "--kind", "synced", "--since", "-1h"), {"synced"}),
        (("--until", "2001-01-01T00:00:00Z"), set()),
    ],
)
async def test_filters_are_those_of_the_port(
    audit: Audit, log: Path, filters: tuple[str, ...], kinds: set[str]
) -> None:
    ended = await audit("list", "--db", log, "-o", "json", *filters)
    assert ended.code == 0
    assert {entry["kind"] for entry in ended.json["entries"]} == kinds


async def test_each_form_has_the_same_entries(audit: Audit, log: Path) -> None:
    whole = (await audit("list", "--db", log, "-o", "json")).json
    assert yaml.safe_load((await audit("list", "--db", log, "-o", "yaml")).out) == whole
    names = [f"{entry['run']}:{entry['seq']}" for entry in whole["entries"]]
    assert (await audit("list", "--db", log, "-o", "name")).out.split() == names
    wide = (await audit("list", "--db", log, "-o", "wide")).out
    assert all(name in wide for name in names)


async def test_a_limit_says_that_there_is_more_and_the_order_can_be_turned(
    audit: Audit, log: Path
) -> None:
    ended = await audit("list", "--db", log, "--limit", "2", "--order", "oldest", "-o", "json")
    assert [entry["seq"] for entry in ended.json["entries"]] == [1, 2]
    assert ended.json["more"] is True
    assert "more than 2" in (await audit("list", "--db", log, "--limit", "2")).err


async def test_a_wrong_filter_is_one_line_that_says_what_is_allowed(
    audit: Audit, log: Path
) -> None:
    for command in ("list", "export"):
        ended = await audit(command, "--db", log, "--kind", "seen")
        assert ended.code == 2
        assert ended.out == ""
        assert ended.err.count("\n") == 1
        assert "one of observed, translated" in ended.err


async def test_an_entry_is_shown_with_its_documents_and_its_reconciliation(
    audit: Audit, log: Path
) -> None:
    name = await name_of(audit, log, "--kind", "translated")
    shown = (await audit("show", "--db", log, name, "-o", "json")).json
    assert set(shown["documents"]) == set(shown["entry"]["documents"])
    assert {found["kind"] for found in shown["documents"].values()} >= {"TrafficSplit"}
    assert [entry["kind"] for entry in shown["reconcile"]] == ["synced"]
    run, _, seq = name.partition(":")
    people = await audit("show", "--db", log, f"{run[:13]}.{seq}")
    assert f"Entry:            {name}" in people.out
    assert "kind: TrafficSplit" in people.out
    assert "The same reconciliation:" in people.out


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("ffffffff:1", 1, "no run begins with ffffffff"),
        ("01890a5d-ac96-774b-bcce-b302099a8057:1", 1, "no such entry"),
        ("first", 2, "write RUN:SEQ"),
    ],
)
async def test_an_entry_that_is_none_is_one_line(
    audit: Audit, log: Path, name: str, code: int, said: str
) -> None:
    ended = await audit("show", "--db", log, name)
    assert (ended.code, ended.out) == (code, "")
    assert said in ended.err


async def test_the_history_says_who_changed_the_weights(audit: Audit, log: Path) -> None:
    ended = await audit("history", "--db", log, SPLIT)
    _, bob, alice = ended.out.splitlines()
    assert "bob" in bob
    assert "web-v1=90 web-v2=10 -> web-v1=50 web-v2=50" in bob
    assert "patched" in bob
    assert "alice" in alice
    assert "none -> web-v1=90 web-v2=10" in alice
    assert (await audit("history", "--db", log, SPLIT, "--limit", "1", "-o", "json")).json["next"]


async def test_the_state_at_a_moment_is_what_it_was_then(audit: Audit, log: Path) -> None:
    changed = (await audit("list", "--db", log, "--actor", "bob", "-o", "json")).json
    at = changed["entries"][0]["at"]
    then = (await audit("state", "--db", log, SERVICE, "--at", at, "-o", "json")).json
    assert [one["weight"] for one in then["overrides"]] == ["90", "10"]
    now = await audit("state", "--db", log, SERVICE)
    assert [line.split()[1] for line in now.out.splitlines()[1:3]] == ["50", "50"]
    assert "by smi-adaptor" in now.out
    nothing = await audit("state", "--db", log, SERVICE, "--at", "2001-01-01T00:00:00Z")
    assert (nothing.code, nothing.out) == (0, "")
    assert "knows nothing" in nothing.err


async def test_what_was_before_the_log_began_is_not_called_none(
    audit: Audit, tmp_path: Path
) -> None:
    path = tmp_path / "cut.sqlite"
    async with opened(path) as log:
        story = Story(log)
        story.seen(1)
        story.seen(1, type="deleted")
        story.seen(2, type="added")
        assert await log.commit()
    told = await audit("history", "--db", path, "default/s")
    assert [" ".join(line.split()[3:]) for line in told.out.splitlines()[1:]] == [
        *("none -> a=2", "a=1 -> none", "? -> a=1")
    ]


async def test_the_difference_of_two_moments_is_an_exit_code(audit: Audit, log: Path) -> None:
    changed = (await audit("list", "--db", log, "--actor", "bob", "-o", "json")).json
    at = changed["entries"][0]["at"]
    differs = await audit("diff", "--db", log, SERVICE, "--from", at)
    assert differs.code == 1
    assert [line.split()[1:] for line in differs.out.splitlines()[1:3]] == [
        ["90", "50"],
        ["10", "50"],
    ]
    unknown = await audit("diff", "--db", log, SERVICE, "--from", "2000-01-01T00:00:00Z")
    assert (unknown.code, "before: the log knows nothing" in unknown.err) == (1, True)
    assert "no profile" not in unknown.out
    same = await audit("diff", "--db", log, SERVICE, "--from", at, "--to", at)
    assert (same.code, same.out) == (0, "")
    assert (await audit("diff", "--db", log, SERVICE)).code == 2


async def test_an_export_is_whole_and_says_so(audit: Audit, log: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.ndjson"
    ended = await audit("export", "--db", log, target)
    assert ended.code == 0
    *rows, last = map(json.loads, target.read_text().splitlines())
    assert last == {"export": "complete", "rows": len(rows)}
    assert f"complete: {len(rows)} rows" in ended.err
    text = (await audit("export", "--db", log, "-o", "csv", "--actor", "bob")).out
    *records, end = csv.reader(io.StringIO(text))
    assert [record[8] for record in records] == ["actor", *["bob"] * (len(records) - 1)]
    assert end == [f"# complete: {len(records) - 1} rows"]


async def test_an_export_that_fails_leaves_the_file_that_was_there(
    audit: Audit, log: Path, tmp_path: Path
) -> None:
    target = tmp_path / "out.ndjson"
    target.write_text("older")
    assert (await audit("export", "--db", log, target, "--kind", "seen")).code == 2
    assert target.read_text() == "older"
    assert not hidden(tmp_path)
    ended = await audit("export", "--db", log, tmp_path / "none" / "out.ndjson")
    assert ended.code == 1
    assert "can't be written" in ended.err


async def test_a_log_is_proved_and_its_anchor_holds_the_next_time(audit: Audit, log: Path) -> None:
    ended = await audit("verify", "--db", log)
    assert ended.code == 0
    anchor = ended.out.splitlines()[1].removeprefix("anchor: ")
    assert (await audit("verify", "--db", log, "--anchor", anchor)).code == 0
    moved = anchor[:-1] + ("0" if anchor[-1] != "0" else "1")
    assert (await audit("verify", "--db", log, "--anchor", moved)).code == 1
    assert (await audit("verify", "--db", log, "--anchor", "here")).code == 2


async def test_the_first_bad_row_is_named(audit: Audit, log: Path) -> None:
    with closing(sqlite3.connect(log, isolation_level=None)) as connection:
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (trigger,) in triggers.fetchall():
            connection.execute(f"DROP TRIGGER {trigger}")
        connection.execute("UPDATE entries SET actor = 'mallory' WHERE seq = 3")
    ended = await audit("verify", "--db", log)
    assert ended.code == 1
    assert ended.out.startswith("NOT PROVED: ")
    assert "3" in ended.out.splitlines()[0]
    assert (await audit("verify", "--db", log, "-o", "json")).json["proved"] is False


async def test_a_backup_is_verified_and_replaces_nothing_unasked(
    audit: Audit, log: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.sqlite"
    assert (await audit("backup", "--db", log, copy)).code == 0
    rows = [(await audit("list", "--db", path, "-o", "json")).json for path in (log, copy)]
    assert rows[0] == rows[1]
    again = await audit("backup", "--db", log, copy)
    assert again.code == 2
    assert "--force" in again.err
    assert (await audit("backup", "--db", log, copy, "--force")).code == 0
    itself = await audit("backup", "--db", log, log, "--force")
    assert itself.code == 2
    assert "the log itself" in itself.err


async def test_a_backup_to_stdout_is_the_file_and_leaves_nothing_beside_the_log(
    audit: Audit, log: Path, tmp_path: Path
) -> None:
    before = await asyncio.to_thread(everything, tmp_path)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "reactor.cli.extension", "audit", "backup", "--db", log, "-"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    copy, said = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0
    assert said.decode().startswith("linkerd-smi: copied and verified")
    assert await asyncio.to_thread(everything, tmp_path) == before
    (tmp_path / "copy.sqlite").write_bytes(copy)
    assert (await audit("verify", "--db", tmp_path / "copy.sqlite")).code == 0


async def test_a_backup_of_a_changed_log_is_refused(
    audit: Audit, log: Path, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(log, isolation_level=None)) as connection:
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (trigger,) in triggers.fetchall():
            connection.execute(f"DROP TRIGGER {trigger}")
        connection.execute("DELETE FROM entries WHERE seq = 3")
    ended = await audit("backup", "--db", log, tmp_path / "copy.sqlite")
    assert ended.code == 1
    assert "does not prove" in ended.err
    assert not (tmp_path / "copy.sqlite").exists()
    assert not hidden(tmp_path)


async def test_without_a_file_a_backup_says_how_it_is_done_in_the_cluster(audit: Audit) -> None:
    ended = await audit("backup", "-")
    assert ended.code == 2
    assert "kubectl -n linkerd-smi exec deploy/smi-adaptor" in ended.err


async def test_stats_count(audit: Audit, log: Path) -> None:
    found = (await audit("stats", "--db", log, "-o", "json")).json
    newest = (await audit("list", "--db", log, "-o", "json")).json["entries"]
    assert found["rows"] == len(newest)
    assert found["newest"] == newest[0]["at"]
    assert f"{found['rows']} of 1 run" in (await audit("stats", "--db", log)).out


async def test_what_is_no_log_is_one_line(audit: Audit, tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("no database at all " * 100)
    other = tmp_path / "other.sqlite"
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE entries (id)")
    for path, said in (
        (text, "no audit log"),
        (other, "no audit log"),
        (tmp_path / "none", "there is no such file"),
    ):
        ended = await audit("list", "--db", path)
        assert ended.code in (1, 2)
        assert said in ended.err
        assert ended.err.count("\n") == 1
    ended = await audit("list", "--db", "mysql://there/log")
    assert ended.code == 2
    assert "a SQLite file" in ended.err


@pytest.mark.parametrize(
    ("variable", "flags", "said"),
    [
        (None, ("--db", "x", "--url", "http://127.0.0.1:1"), "--db and --url exclude each other"),
        (None, ("--db", "x", "--api-addr=127.0.0.1:1"), "--db and --api-addr exclude each other"),
        ("x", ("--url", "http://127.0.0.1:1"), "LINKERD_SMI_DB and --url exclude each other"),
        ("x", ("--api-addr=127.0.0.1:1",), "unset the variable, or leave out the flag"),
    ],
)
async def test_two_logs_at_once_are_refused_by_the_names_they_were_given_by(
    audit: Audit,
    monkeypatch: pytest.MonkeyPatch,
    variable: str | None,
    flags: tuple[str, ...],
    said: str,
) -> None:
    if variable is not None:
        monkeypatch.setenv("LINKERD_SMI_DB", variable)
    ended = await audit("list", *flags)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err


async def test_one_row_is_no_rows(audit: Audit, tmp_path: Path) -> None:
    path = write(tmp_path / "log", [])  # that it started
    for arguments, said in (
        (("verify",), "proved: 1 row is as it was written"),
        (("stats",), "1 of 1 run\n"),
        (("export",), "complete: 1 row\n"),
        (("export", "-o", "csv"), "complete: 1 row\n"),
        (("backup", tmp_path / "copy"), "copied and verified: 1 row in"),
    ):
        ended = await audit(*arguments, "--db", path)
        assert ended.code == 0
        assert said in ended.out + ended.err, arguments
