"""What a user can get wrong ends in one line that names it, or is waited out; no traceback."""

from __future__ import annotations

import json
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

Start = Callable[..., subprocess.Popen[str]]
DEADLINE = 30.0


def kubeconfig(server: str) -> str:
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "here",
            "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
            "clusters": [{"name": "here", "cluster": {"server": server}}],
            "users": [{"name": "me", "user": {"token": "secret"}}],
        }
    )


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts `smi-adaptor` in a folder of its own, with a cluster that does not answer."""
    (tmp_path / "kubeconfig").write_text(kubeconfig("http://127.0.0.1:1"))
    running: list[subprocess.Popen[str]] = []

    def start(*argv: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "reactor.cli.adaptor", "-kubeconfig=kubeconfig"),
                *("-metrics-addr=127.0.0.1:0", "-audit-url=audit.sqlite", *argv),
            ],
            cwd=tmp_path,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(__file__).resolve().parents[3])},
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()


def refusal(process: subprocess.Popen[str]) -> str:
    """The last line of a start that gives up, which is the only one that no logger wrote."""
    _, errors = process.communicate(timeout=DEADLINE)
    assert "Traceback" not in errors
    *before, last = errors.splitlines()
    assert process.returncode in (1, 2), errors
    assert last.startswith("smi-adaptor: ")
    assert "unexpected error" not in last
    assert all(line.startswith("time=") for line in before), errors
    return last


def lines_until(process: subprocess.Popen[str], wanted: str) -> list[str]:
    """Log lines up to the first that holds ``wanted``."""
    assert process.stderr is not None
    lines: list[str] = []
    end = time.monotonic() + DEADLINE
    for line in process.stderr:
        lines.append(line)
        if wanted in line:
            return lines
        assert time.monotonic() < end, lines
    raise AssertionError(f"it ended without {wanted!r}: {lines}")


def stopped(process: subprocess.Popen[str]) -> str:
    """What it logged from SIGTERM to a clean end."""
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    return errors


@pytest.mark.parametrize(
    "content",
    [None, "{", kubeconfig("no url at all")],
    ids=["missing", "broken", "no server"],
)
def test_a_bad_kubeconfig_is_named(start: Start, tmp_path: Path, content: str | None) -> None:
    if content is None:
        (tmp_path / "kubeconfig").unlink()
    else:
        (tmp_path / "kubeconfig").write_text(content)
    assert "kubeconfig" in refusal(start())


@pytest.mark.parametrize("place", ["plain-file/audit.sqlite", "missing/audit.sqlite", "folder"])
def test_an_audit_path_that_can_not_be_written_is_named(
    start: Start, tmp_path: Path, place: str
) -> None:
    (tmp_path / "plain-file").write_text("x")
    (tmp_path / "folder").mkdir()
    last = refusal(start(f"-audit-url={place}"))
    assert place in last


def test_a_corrupt_audit_log_is_named_and_left_as_it_is(start: Start, tmp_path: Path) -> None:
    (tmp_path / "audit.sqlite").write_bytes(b"not a database" * 1000)
    assert "audit.sqlite" in refusal(start())
    assert (tmp_path / "audit.sqlite").read_bytes() == b"not a database" * 1000


def test_a_port_in_use_is_named(start: Start) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        last = refusal(start(f"-metrics-addr=127.0.0.1:{port}"))
    assert f"127.0.0.1:{port}" in last
    assert "-metrics-addr" in last


def test_an_address_of_another_machine_is_named(start: Start) -> None:
    assert "192.0.2.1:9995" in refusal(start("-metrics-addr=192.0.2.1:9995"))


def test_a_server_that_does_not_answer_is_waited_for_and_named(
    start: Start, tmp_path: Path
) -> None:
    process = start()
    lines = lines_until(process, "127.0.0.1:1")
    assert not [line for line in lines if not line.startswith("time=")]
    stopped(process)
    assert kinds(tmp_path / "audit.sqlite") == ["started", "stopped"]


def test_the_token_of_the_kubeconfig_is_never_shown(start: Start) -> None:
    process = start("-log-level=debug")
    shown = "".join(lines_until(process, "127.0.0.1:1")) + stopped(process)
    assert "secret" not in shown


def test_a_second_process_waits_for_the_first_ones_log(start: Start, tmp_path: Path) -> None:
    first = start()
    lines_until(first, "127.0.0.1:1")
    second = start()
    lines_until(second, "audit")
    stopped(first)
    lines_until(second, "127.0.0.1:1")
    stopped(second)
    assert kinds(tmp_path / "audit.sqlite") == ["started", "stopped"] * 2


def test_a_log_that_another_program_locks_does_not_end_it(start: Start, tmp_path: Path) -> None:
    stopped_after_start(start())
    with locked(tmp_path / "audit.sqlite"):
        process = start()
        lines_until(process, "lock")
        assert process.poll() is None
    lines_until(process, "127.0.0.1:1")
    stopped(process)
    assert kinds(tmp_path / "audit.sqlite") == ["started", "stopped"] * 2


def stopped_after_start(process: subprocess.Popen[str]) -> None:
    lines_until(process, "127.0.0.1:1")
    stopped(process)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def kinds(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [
            kind for (kind,) in connection.execute("SELECT kind FROM entries ORDER BY run, seq")
        ]
