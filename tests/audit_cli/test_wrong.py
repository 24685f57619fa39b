"""What a user can get wrong: one line that says what, exit code 1 or 2, and no answer."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from aiohttp import web

from tests.audit_cli.conftest import Ended, Smi
from tests.corpus import FOLDER
from tests.unit.kube.loopback import serving

LOG = FOLDER / "guide.sqlite"
PAIR = "guide/backend-svc"
COMMANDS = (
    ("audit", "list"),
    ("audit", "show", "01a20776-15de-769b-b262-c5282a043a7a:3"),
    ("audit", "history", PAIR),
    ("audit", "state", PAIR),
    ("audit", "diff", PAIR, "--from", "-1h"),
    ("audit", "verify"),
    ("audit", "stats"),
    ("audit", "export"),
    ("audit", "tail"),
    ("replay",),
)


def refused(ended: Ended, code: int, said: str) -> None:
    """One line and nothing else."""
    assert (ended.code, ended.out) == (code, ""), ended.err
    (line,) = ended.err.splitlines()
    assert line.startswith("linkerd-smi: ")
    assert said in line
    assert "unexpected" not in line


def _empty(path: Path) -> None:
    path.touch()


def _text(path: Path) -> None:
    path.write_text("no database at all " * 100)


def _other(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE entries (id)")


@pytest.mark.parametrize(
    ("make", "code", "said"),
    [
        (None, 2, "there is no such file"),
        (Path.mkdir, 2, "it is no file"),
        (_empty, 1, "this is no audit log: it is empty"),
        (_text, 1, "this is no audit log that can be read (file is not a database)"),
        (_other, 1, "this is no audit log that can be read (no such column"),
    ],
    ids=["missing", "a folder", "empty", "text", "another database"],
)
async def test_a_file_that_is_no_log_is_told_by_every_command(
    smi: Smi, tmp_path: Path, make: Callable[[Path], None] | None, code: int, said: str
) -> None:
    path = tmp_path / "log"
    if make is not None:
        make(path)
    for command in (*COMMANDS, ("audit", "backup", "-"), ("replay", "--into", "sandbox")):
        refused(await smi(*command, "--db", path), code, said)


@pytest.mark.parametrize(
    ("status", "body", "code", "said"),
    [
        (401, '{"title": "x", "status": 401, "detail": "A token."}', 1, "A token. Give one by"),
        (403, '{"title": "x", "status": 403, "detail": "Not you."}', 1, "Not you. Give one by"),
        (503, '{"title": "x", "status": 503, "detail": "Not now."}', 1, "Not now."),
        (404, "<html>no such page", 1, "the answer is 404, and not from an adaptor's admin port"),
        (500, "", 1, "the answer is 500, and not from an adaptor's admin port"),
        (200, "<html>welcome", 1, "can't be read"),
    ],
)
async def test_a_port_that_refuses_or_is_of_another_kind_is_told_by_every_command(
    smi: Smi, status: int, body: str, code: int, said: str
) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=status, text=body)

    async with serving(handler) as server:
        for command in COMMANDS:
            ended = await smi(*command, "--url", server.url)
            if command[1:] == ("export",) and status == 200:
                assert (ended.code, ended.err.count("\n")) == (1, 1)  # what came is on stdout
            else:
                refused(ended, code, said)


async def test_a_port_that_nobody_listens_on_is_told_by_every_command(smi: Smi) -> None:
    for command in COMMANDS:
        ended = await smi(*command, "--url", "http://127.0.0.1:1")
        refused(ended, 1, "can't connect to http://127.0.0.1:1")


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--since", "yesterday"), "'yesterday' is no time, allowed: RFC 3339"),
        (("--since", "-1h", "--until", "-2h"), "the first is to be the earlier one"),
        (("--run", "x"), "run: 'x' does not match"),
        (("-n", ""), "namespace: '' does not match"),
        (("-n", "\udcff"), "can't be written as utf-8"),
        (("--cluster-name", "eu-1"), "name one by --db postgresql://"),
        (("-o", "xml"), "'xml' is not one of"),
        (("--kubeconfig",), "Option '--kubeconfig' requires an argument"),
        (("--url", ""), "--url '': write one such as"),
        (("--url", "http://"), "--url 'http://': write one such as"),
        (("--url", "http://127.0.0.1:99999"), "no URL of an adaptor"),
        (("--api-addr", "9995"), "--api-addr=9995: write HOST:PORT"),
    ],
)
async def test_a_wrong_flag_is_told_alike_by_all_that_take_it(
    smi: Smi, flags: tuple[str, ...], said: str
) -> None:
    for command in (("audit", "list"), ("audit", "export"), ("replay",)):
        where = () if flags[0] in ("--url", "--api-addr") else ("--db", LOG)
        refused(await smi(*command, *where, *flags), 2, said)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("audit list --kind seen", "kind: 'seen' is unknown, allowed: one of observed"),
        ("audit list --outcome good", "outcome: 'good' is unknown, allowed: one of created"),
        ("audit list --limit -1", "-1 is not in the range"),
        ("audit list --limit many", "'many' is not a valid integer"),
        ("audit history canary", "write NAMESPACE/SPLIT"),
        ("audit state canary", "write NAMESPACE/SERVICE"),
        ("audit state a/b --at noon", "at: 'noon' is no time"),
        ("audit diff a/b", "Missing option '--from'"),
        ("audit show first", "write RUN:SEQ"),
        ("audit verify --anchor here", "an anchor is RUN:SEQ:HASH"),
        ("replay --jobs 0", "0 is not in the range"),
        ("replay --step", "--step means nothing without --into"),
        ("replay --speed 2", "--speed means nothing without --into"),
        ("replay --dir x --into kubeconfig", "--dir means nothing without --into sandbox"),
        ("replay --speed nan --into sandbox", "--speed nan: write a number above 0"),
        ("replay --into=", "write sandbox, or the path of a kubeconfig"),
    ],
)
async def test_what_is_typed_wrong_is_told_with_what_to_type(
    smi: Smi, line: str, said: str
) -> None:
    refused(await smi(*line.split(" "), "--db", LOG), 2, said)
