"""Recorded events happen again in a sandbox, with the real adaptor beside it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.corpus import FOLDER
from tests.replay.command import replay

FAST = ("--into", "sandbox", "--speed", "1000")


@pytest.mark.parametrize(
    ("log", "profiles", "filters"),
    [
        ("guide", 1, ()),
        ("weights", 2, ()),
        ("invalid", 2, ()),
        ("lifecycle", 1, ("--split", "mu")),
        ("lifecycle", 2, ("-n", "orphans")),
        ("lifecycle", 1, ("-n", "skipped")),
    ],
)
def test_the_profiles_end_as_they_did(log: str, profiles: int, filters: tuple[str, ...]) -> None:
    ended = replay("--db", FOLDER / f"{log}.sqlite", *filters, *FAST, "-o", "json")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    told = json.loads(ended.stdout)
    assert (told["refused"], told["apart"]) == ([], [])
    assert told["profiles"] == profiles
    assert told["steps"] == len(ended.stderr.splitlines())


def test_a_profile_that_ends_otherwise_is_named_and_fails(tmp_path: Path) -> None:
    """The adaptor looks twice, a minute apart, before it deletes what no split asks for."""
    arguments = ("-n", "change-while-away", *FAST, "--dir", tmp_path / "kept")
    ended = replay("--db", FOLDER / "lifecycle.sqlite", *arguments)
    assert ended.returncode == 1
    *_, recorded, now, summary = ended.stdout.splitlines()
    name = "change-while-away/left-over.change-while-away.svc.cluster.local"
    assert recorded == f"{name}: recorded gone"
    assert now.split() == ["now", "a=1"]
    assert summary == "7 events done; profiles as recorded: 4 of 5"
    with closing(sqlite3.connect(tmp_path / "kept" / "audit.sqlite")) as connection:
        (rows,) = connection.execute(
            "SELECT count(*) FROM entries WHERE kind = 'translated'"
        ).fetchone()
    assert rows > 5
    again = replay("--db", FOLDER / "lifecycle.sqlite", *arguments)
    assert again.returncode == 2
    assert "holds an audit log already: give a new folder" in again.stderr


def test_each_event_waits_for_enter() -> None:
    arguments = ("--db", FOLDER / "guide.sqlite", "--into", "sandbox", "--step")
    ended = replay(*arguments, given="\n" * 5)
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.count("Enter: trafficsplit guide/backend-split ") == 5
    assert "modified by unknown: backend-svc=900 failing-svc=100\n" in ended.stdout
    stopped = replay(*arguments, given="\n")
    assert stopped.returncode == 1
    last = stopped.stderr.splitlines()[-1]
    assert "linkerd-smi: the input ended before trafficsplit guide/backend-split modified" in last


def test_nothing_to_re_enact_is_one_line() -> None:
    ended = replay("--db", FOLDER / "guide.sqlite", "-n", "nowhere", *FAST)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == (
        "linkerd-smi: nothing in the log passes the filters, so there is nothing to re-enact\n"
    )
