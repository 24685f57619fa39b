"""`smi-adaptor`: every end is one line and an exit code, never a traceback."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest

from reactor import __version__, daemon
from reactor.cli import adaptor
from reactor.errors import Fatal
from reactor.settings import Settings


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("reactor")
    before = (root.handlers[:], root.level, ours.level)
    switches = (logging.raiseExceptions, logging.logThreads, logging.logProcesses)
    yield
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    ours.setLevel(before[2])
    logging.raiseExceptions, logging.logThreads, logging.logProcesses = switches
    logging.logMultiprocessing = True


def run(*argv: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "reactor.cli.adaptor", *argv],
        env={"PATH": "/usr/bin:/bin", **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def ending(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    *argv: str,
) -> tuple[int, str]:
    """Exit code and stderr of a run that ends with ``error``."""

    async def fail(settings: Settings) -> None:
        raise error

    monkeypatch.setattr(daemon, "run", fail, raising=False)
    monkeypatch.setattr(sys, "argv", ["smi-adaptor", *argv])
    code = adaptor.main()
    return code, capsys.readouterr().err


def test_a_wrong_flag_is_one_line_and_exit_code_2() -> None:
    ended = run("--clusterdomain=x")
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr == (
        "smi-adaptor: unknown flag -clusterdomain, did you mean -cluster-domain? "
        "(smi-adaptor --help lists all flags)\n"
    )


def test_help_and_version_answer_on_stdout_with_exit_code_0() -> None:
    helped = run("-h", SMI_ADAPTOR_LOG_FORMAT="json")
    assert (helped.returncode, helped.stderr) == (0, "")
    assert helped.stdout.startswith("Usage: smi-adaptor [flags]\n")
    assert run("-version").stdout == f"smi-adaptor {__version__}\n"


def test_what_can_not_go_on_is_told_in_one_line_with_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error = Fatal("port 9995 is in use:\n  give another --metrics-addr")
    assert ending(monkeypatch, capsys, error) == (
        1,
        "smi-adaptor: port 9995 is in use: give another --metrics-addr\n",
    )


def test_it_is_found_in_a_group_of_errors_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    inner = ExceptionGroup("tasks", [ValueError("x"), Fatal("no kubeconfig", code=2)])
    assert ending(monkeypatch, capsys, ExceptionGroup("outer", [inner])) == (
        2,
        "smi-adaptor: no kubeconfig\n",
    )


def test_an_unexpected_error_is_one_line_that_tells_how_to_see_more(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ending(monkeypatch, capsys, ZeroDivisionError("division by zero")) == (
        1,
        "smi-adaptor: unexpected error: ZeroDivisionError: division by zero; "
        "--log-level=debug shows the traceback\n",
    )


def test_the_traceback_is_shown_at_debug(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error = ZeroDivisionError("division by zero")
    code, shown = ending(monkeypatch, capsys, error, "--log-level=debug")
    assert code == 1
    assert "Traceback (most recent call last)" in shown
    assert shown.endswith("smi-adaptor: unexpected error: ZeroDivisionError: division by zero\n")


def test_ctrl_c_ends_without_a_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ending(monkeypatch, capsys, KeyboardInterrupt()) == (130, "")
