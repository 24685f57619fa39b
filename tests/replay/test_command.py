"""`linkerd-smi replay` as a person or a pipeline runs it."""

from __future__ import annotations

import json
from pathlib import Path

from reactor.translate import decide
from reactor.translate.decision import Decision, Unchanged
from tests.replay.command import replay
from tests.replay.logs import changes, row, write
from tests.unit.translate.situations import situation, split

HERE = situation(split("canary", ("web-v1", 90), ("web-v2", 10)))
OTHER = Decision(decide(HERE).desired, Unchanged())


def test_a_difference_fails_only_when_asked_to(tmp_path: Path) -> None:
    path = write(tmp_path / "log", [row(HERE), row(HERE, OTHER)])
    ended = replay("--db", path)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert '    plan.type: "unchanged" -> "create"\n' in ended.stdout
    assert replay("--db", path, "--fail-on-diff").returncode == 1


def test_json_is_one_object(tmp_path: Path) -> None:
    path = write(tmp_path / "log", [row(HERE, OTHER), *map(row, changes(3)), row(HERE, OTHER)])
    ended = replay("--db", path, "-o", "json", "--jobs", "2", "--fail-on-diff")
    assert (ended.returncode, ended.stderr) == (1, "")
    told = json.loads(ended.stdout)
    assert [found["seq"] for found in told["differences"]] == [2, 6]
    assert {"field": "plan.type", "recorded": "unchanged", "today": "create"} in (
        told["differences"][0]["fields"]
    )
    assert told["summary"] == {"rows": 5, "same": 3, "different": 2, "undecodable": {}}


def test_nothing_to_decide_is_said_and_does_not_pass(tmp_path: Path) -> None:
    path = write(tmp_path / "log", [row(HERE)])
    ended = replay("--db", path, "--split", "nobody", "--fail-on-diff")
    assert ended.returncode == 1
    assert ended.stderr == f"linkerd-smi: no decision in {path} passes the filters\n"
    one = replay("--db", path, "--fail-on-diff")
    assert one.returncode == 0
    assert one.stdout == "1 decision: 1 the same, 0 different, 0 not decodable\n"


def test_bad_input_is_one_line_that_says_what_to_do(tmp_path: Path) -> None:
    path = write(tmp_path / "log", [row(HERE)])
    text = tmp_path / "text"
    text.write_text("not a database, " * 1000)
    for arguments, code, word in (
        (("--db", tmp_path / "nothing"), 2, "there is no such file"),
        (("--db", text), 1, "this is no audit log"),
        (("--db", "mysql://me:secret@db/x"), 2, "--db mysql://...: this takes a SQLite file"),
        (("--db", path, "--since", "yesterday"), 2, "since: 'yesterday' is no time"),
        (("--db", path, "--jobs", "0"), 2, "--jobs"),
        (("--db", path, "--url", "http://127.0.0.1:1"), 2, "--db and --url"),
        (("--url", "http://127.0.0.1:1"), 1, "can't connect to http://127.0.0.1:1"),
    ):
        ended = replay(*arguments)
        assert (ended.returncode, ended.stdout) == (code, ""), arguments
        (line,) = ended.stderr.splitlines()
        assert word in line
