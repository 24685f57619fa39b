"""What a command makes of streams that are closed, full, or not read."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.corpus import FOLDER

LOG = str(FOLDER / "guide.sqlite")
SMI = (sys.executable, "-m", "reactor.cli.extension")
COMMANDS = [
    ["audit", "list", "--db", LOG],
    ["audit", "list", "--db", LOG, "-o", "json"],
    ["audit", "history", "--db", LOG, "guide/backend-split"],
    ["audit", "state", "--db", LOG, "guide/backend-svc"],
    ["audit", "diff", "--db", LOG, "guide/backend-svc", "--from", "2026-11-23T08:11:49.2Z"],
    ["audit", "verify", "--db", LOG],
    ["audit", "stats", "--db", LOG],
    ["audit", "tail", "--db", LOG],
    ["audit", "export", "--db", LOG],
    ["audit", "backup", "--db", LOG, "-"],
    ["audit", "--help"],
    ["replay", "--db", LOG],
    ["replay", "--db", LOG, "-o", "json"],
    ["version", "--client"],
]
# Each as a process would take seconds; these end as `main` does, one after the other.
EACH = """
import json, os, sys
from reactor.cli import extension, streams
spoil = {
    "closed": lambda: os.close(1),
    "full": lambda: os.dup2(os.open("/dev/full", os.O_WRONLY), 1),
    "gone": lambda: (pipe := os.pipe(), os.close(pipe[0]), os.dup2(pipe[1], 1)),
}[sys.argv[1]]
for argv in json.loads(sys.argv[2]):
    spoil()
    streams.prepare()
    code = extension._run(argv)
    print(f"= {code}", file=sys.stderr, flush=True)
"""


def each(how: str, commands: list[list[str]]) -> list[tuple[int, str]]:
    """The exit codes, and what was said before."""
    ended = subprocess.run(
        [sys.executable, "-c", EACH, how, json.dumps(commands)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ended.stdout == ""
    said = ended.stderr.split("= ")
    codes = [int(part.split("\n", 1)[0]) for part in said[1:]]
    return list(
        zip(codes, [said[0], *(part.split("\n", 1)[1] for part in said[1:-1])], strict=True)
    )


@pytest.mark.parametrize(
    ("how", "why"), [("closed", "it is closed"), ("full", "No space left on device")]
)
def test_an_answer_that_can_not_be_written_is_one_clear_error(how: str, why: str) -> None:
    expected = (1, f"linkerd-smi: can't write to stdout: {why}\n")
    for command, ended in zip(COMMANDS, each(how, COMMANDS), strict=True):
        assert ended == expected, command


def test_a_reader_that_has_enough_ends_every_command_quietly() -> None:
    for command, ended in zip(COMMANDS, each("gone", COMMANDS), strict=True):
        assert ended == (141, ""), command


def shell(line: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Whatever a shell can do to a process of its own."""
    return subprocess.run(
        ["sh", "-c", f'"$@" {line}', "sh", *SMI, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_no_file_that_is_opened_takes_the_place_of_a_closed_stdout(tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite"
    ended = shell("<&- >&-", "audit", "backup", "--db", LOG, str(copy))
    assert (ended.returncode, ended.stdout) == (0, "")
    assert "copied and verified" in ended.stderr
    assert copy.read_bytes()[:6] == b"SQLite"


def test_no_remark_gets_into_the_answer_when_stderr_is_closed() -> None:
    ended = shell("2>&-", "audit", "list", "--db", LOG, "-o", "name", "--limit", "1")
    assert ended.returncode == 0
    (name,) = ended.stdout.splitlines()
    assert name.endswith(":22")
