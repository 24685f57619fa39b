"""`linkerd-smi`: lazy, since Linkerd calls it in the middle of its own check."""

from __future__ import annotations

import json
import subprocess
import sys

from reactor import __version__

HEAVY = {
    "aiohttp",
    "alembic",
    "asyncio",
    "cryptography",
    "kubernetes_asyncio",
    "litestar",
    "msgspec",
    "rich",
    "sqlalchemy",
    "uvicorn",
    "uvloop",
    "yaml",
}


def run(*argv: str, python: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *python, "-m", "reactor.cli.extension", *argv],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def imported(*argv: str) -> set[str]:
    lines = run(*argv, python=("-X", "importtime")).stderr.splitlines()
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


def test_the_version_is_told_long_and_short() -> None:
    assert run("version", "--client").stdout == f"Client version: {__version__}\n"
    assert run("version", "--client", "--short").stdout == f"{__version__}\n"


def test_linkerd_is_told_the_name_of_the_extension_and_nothing_more() -> None:
    assert json.loads(run("_extension-metadata").stdout) == {"name": "linkerd-smi"}


def test_version_and_metadata_import_nothing_heavy() -> None:
    assert imported("version", "--client") & HEAVY == set()
    assert imported("_extension-metadata") & HEAVY == set()
    assert imported("--help") & HEAVY == set()
    assert imported("audit", "--help") & HEAVY == set()


def test_help_lists_the_commands_but_not_linkerds_own() -> None:
    shown = run("--help").stdout
    assert "sandbox" in shown
    assert "version" in shown
    assert "_extension-metadata" not in shown


def test_a_wrong_command_is_a_short_answer_and_exit_code_2() -> None:
    ended = run("sandboks")
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert "No such command 'sandboks'. Did you mean sandbox?" in ended.stderr
    assert "'up'. linkerd-smi --help lists them." in run("up").stderr
