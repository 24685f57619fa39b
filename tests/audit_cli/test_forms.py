"""`-o`: every command in every form, and what each form is good for."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web

from reactor.cli.audit import tail as tail_module
from reactor.translate import decide
from reactor.translate.decision import Decision, Unchanged
from tests.audit_cli.conftest import Audit, Smi
from tests.corpus import FOLDER
from tests.replay.logs import changes, row, write
from tests.unit.kube.loopback import serving

LOG = FOLDER / "guide.sqlite"
SPLIT, SERVICE = "guide/backend-split", "guide/backend-svc"
FROM, TO = "2026-11-23T08:11:49.19Z", "2026-11-23T08:11:49.2Z"
ENTRY = "01a20776-15de-769b-b262-c5282a043a7a:3"

FORMS = ("table", "wide", "json", "yaml", "name", "ndjson", "csv")
COMMANDS: dict[str, tuple[tuple[str, ...], frozenset[str]]] = {
    "audit list": ((), frozenset(FORMS[:5])),
    "audit history": ((SPLIT,), frozenset(FORMS[:5])),
    "audit tail": ((), frozenset(FORMS[:5])),
    "audit show": ((ENTRY,), frozenset({"table", "json", "yaml"})),
    "audit state": ((SERVICE, "--at", TO), frozenset({"table", "json", "yaml", "name"})),
    "audit diff": (
        (SERVICE, "--from", FROM, "--to", TO),
        frozenset({"table", "json", "yaml", "name"}),
    ),
    "audit verify": ((), frozenset({"table", "json", "yaml"})),
    "audit stats": ((), frozenset({"table", "json", "yaml"})),
    "audit export": ((), frozenset({"ndjson", "csv"})),
    "audit backup": (("copy",), frozenset()),
    "replay": ((), frozenset({"table", "json", "yaml", "name"})),
}


@pytest.mark.parametrize("command", COMMANDS)
async def test_a_form_that_a_command_lacks_is_refused_with_those_it_has(
    smi: Smi, command: str
) -> None:
    arguments, allowed = COMMANDS[command]
    for form in set(FORMS) - allowed:
        ended = await smi(*command.split(), *arguments, "--db", LOG, "-o", form)
        assert (ended.code, ended.out) == (2, ""), form
        assert ended.err.count("\n") == 1
        if allowed:
            assert set(re.findall(r"'(\w+)'", ended.err.partition("is not one of")[2])) == allowed
        else:
            assert "No such option '-o'" in ended.err


@pytest.mark.parametrize(
    "command",
    [name for name, (_, forms) in COMMANDS.items() if "json" in forms and "tail" not in name],
)
async def test_each_form_says_the_same(smi: Smi, tmp_path: Path, command: str) -> None:
    arguments, forms = COMMANDS[command]
    path = LOG
    if command == "replay":
        rows = list(changes(2))
        other = Decision(decide(rows[1]).desired, Unchanged())
        path = write(tmp_path / "log", [row(rows[0]), row(rows[1], other)])
    out = {}
    for form in forms:
        ended = await smi(*command.split(), *arguments, "--db", path, "-o", form)
        assert ended.code == (command == "audit diff"), form
        assert ended.out.endswith("\n")
        out[form] = ended.out
    whole = json.loads(out["json"])
    assert yaml.safe_load(out["yaml"]) == whole
    first = out["table"].splitlines()[0]
    if "wide" in forms:
        assert len(re.split(r" {3,}", out["wide"].splitlines()[0])) > len(re.split(" {3,}", first))
    if "name" in forms:
        named = out["name"].split()
        assert named == named_in(whole)
        shown = await smi("audit", "show", "--db", path, named[0], "-o", "json")
        assert shown.code == 0
        assert f"{shown.json['entry']['run']}:{shown.json['entry']['seq']}" == named[0]


def named_in(answer: dict[str, Any]) -> list[str]:
    """The entries that an answer is about, in its order."""
    about = answer.get("entries") or answer.get("differences")
    if about is None:
        holders = answer.get("changes") or [answer.get("before"), answer.get("after")]
        about = [one["entry"] for one in holders if one] or [answer["entry"]]
    return [f"{one['run']}:{one['seq']}" for one in about]


async def test_an_export_has_the_same_rows_in_both_forms(audit: Audit) -> None:
    lines = (await audit("export", "--db", LOG)).out.splitlines()
    text = (await audit("export", "--db", LOG, "-o", "csv")).out
    header, *records, last = csv.reader(io.StringIO(text))
    rows = list(map(json.loads, lines[:-1]))
    for record, line in zip(records, rows, strict=True):
        told = dict(zip(header, record, strict=True))
        for name in ("detail", "documents"):
            assert json.loads(told.pop(name)) == line.pop(name)
        assert told == {name: "" if value is None else str(value) for name, value in line.items()}
    assert last == [f"# complete: {len(rows)} rows"]
    listed = (await audit("list", "--db", LOG, "--order", "oldest", "-o", "json")).json
    assert list(map(json.loads, lines[:-1])) == listed["entries"]


async def test_a_tail_shows_each_entry_in_every_form(
    audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail_module, "_AGAIN", 0)
    wanted = ("--order", "oldest", "--limit", "3", "-o", "json")
    rows = (await audit("list", "--db", LOG, *wanted)).json["entries"]
    connections = 0

    async def handler(request: web.Request) -> web.Response:
        nonlocal connections
        if request.path == "/api/v1/entries":
            page: dict[str, object] = {
                "entries": [],
                "next": None,
                "previous": None,
                "partial": False,
            }
            return web.json_response(page)
        connections += 1
        if connections > 1:
            return web.json_response({"title": "x", "status": 403, "detail": "enough"}, status=403)
        return web.Response(text="".join(f"data: {json.dumps(row)}\n\n" for row in rows))

    out = {}
    async with serving(handler) as server:
        for form in COMMANDS["audit tail"][1]:
            connections = 0
            ended = await audit("tail", "--url", server.url, "-o", form)
            assert (ended.code, "enough" in ended.err) == (1, True)
            out[form] = ended.out
    assert [json.loads(line) for line in out["json"].splitlines()] == rows
    assert list(yaml.safe_load_all(out["yaml"])) == rows
    assert out["name"].split() == [f"{row['run']}:{row['seq']}" for row in rows]
    for form in ("table", "wide"):
        header, *lines = out[form].splitlines()
        assert len(lines) == len(rows)
        assert header.split()[-1] == "ENTRY"
        assert [line.split()[1] for line in lines] == [row["kind"] for row in rows]
    assert len(out["wide"].splitlines()[0].split()) > len(out["table"].splitlines()[0].split())
