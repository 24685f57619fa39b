"""Long work shows progress on a terminal, and none in a pipe."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

from reactor.translate import decide
from reactor.translate.decision import Decision, Unchanged
from tests.corpus import FOLDER
from tests.replay.logs import changes, row, write

LOG = str(FOLDER / "guide.sqlite")
# All of them in one process, since each would take a second as one of its own.
EACH = """
import json, os, sys
from reactor.cli import extension, streams
from reactor.client import ticking
from reactor.replay import jobs
ticking.TICK = 0.001
jobs.PIECE = 2
streams.prepare()
for argv in json.loads(sys.argv[1]):
    print(f"={extension._run(argv)}", file=sys.stderr, flush=True)
"""
COMMANDS = {
    "verify": (["audit", "verify", "--db", LOG], r"verifying for 0 s"),
    "export": (["audit", "export", "--db", LOG], r"\d+ lines, 0\.0 MiB"),
    "backup": (["audit", "backup", "--db", LOG, "-"], r"100% of \d+ pages copied"),
    "a backup's proof": (["audit", "backup", "--db", LOG, "-"], r"verifying the copy for 0 s"),
    "replay": (["replay", "--db", LOG], r"\d\d% of the log"),
    "replay --into": (
        ["replay", "--db", LOG, "--into", "sandbox", "--speed", "0.3"],
        r"waiting for trafficsplit guide/backend-split modified",
    ),
}


def run(commands: list[list[str]], *, terminal: str) -> tuple[str, str]:
    """What stdout and stderr (or the terminal that is both) got."""
    ours, its = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", EACH, json.dumps(commands)],
        stdout=its if "stdout" in terminal else subprocess.PIPE,
        stderr=its if "stderr" in terminal else subprocess.PIPE,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "160"},
    )
    os.close(its)
    shown = b""
    try:
        if terminal == "stderr":
            # What is on stdout meanwhile fits into the pipe.
            while part := _read(ours):
                shown += part
            out, _ = process.communicate(timeout=60)
            return out.decode(errors="replace"), shown.decode()
        if terminal:
            while part := _read(ours):
                shown += part
            process.wait(60)
            return shown.decode(), ""
        out, err = process.communicate(timeout=60)
        return out.decode(errors="replace"), err.decode()
    finally:
        os.close(ours)
        process.kill()
        process.wait()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # the other side is closed
        return b""


def test_who_sits_at_a_terminal_sees_how_far_it_is(tmp_path: Path) -> None:
    commands = [
        [str(tmp_path / "copy") if word == "-" else word for word in command]
        + (["--force"] if "backup" in command else [])
        for command, _ in COMMANDS.values()
    ]
    _, shown = run(commands, terminal="stderr")
    parts = re.split(r"=0\r\n", shown)
    assert len(parts) == len(COMMANDS) + 1, shown
    for part, (name, (_, wanted)) in zip(parts, COMMANDS.items(), strict=False):
        assert re.search(rf"\r\x1b\[K *{wanted}", part), name
        # It is wiped, and nothing is printed behind it on its line.
        for line in part.split("\r\n"):
            rest = line.rpartition("\x1b[K")[2]
            assert not rest or rest.startswith("linkerd-smi: "), name


def test_a_pipe_gets_none() -> None:
    out, err = run([command for command, _ in COMMANDS.values()], terminal="")
    assert err.count("=0\n") == len(COMMANDS)
    assert "\r" not in err + re.sub(r"SQLite format 3.*", "", out, flags=re.DOTALL)
    assert not re.search(r"\x1b|% of|lines,|waiting|verifying", err)


def test_on_one_terminal_answer_and_progress_keep_to_lines_of_their_own(tmp_path: Path) -> None:
    situations = list(changes(6))
    rows = [row(one, Decision(decide(one).desired, Unchanged())) for one in situations]
    path = str(write(tmp_path / "log", rows))
    commands = [["replay", "--db", path], ["audit", "export", "--db", path]]
    shown, _ = run(commands, terminal="stdout stderr")
    lines = [line.rpartition("\x1b[K")[2] for line in shown.split("\r\n")]
    replayed, exported = "\n".join(lines).split("=0\n")[:2]
    assert replayed.splitlines()[-1] == "6 decisions: 0 the same, 6 different, 0 not decodable"
    assert all(re.match(r"[0-9a-f]{8}-| {4}|6 dec", line) for line in replayed.splitlines())
    *exports, last, said = exported.splitlines()
    assert [json.loads(line)["seq"] for line in exports] == list(range(1, 8))
    assert json.loads(last)["export"] == "complete"
    assert said == "linkerd-smi: complete: 7 rows"
