"""`linkerd-smi audit tail` of an adaptor that answers otherwise than it was thought to."""

from __future__ import annotations

import json

import pytest
from aiohttp import web

from reactor.cli.audit import tail as tail_module
from tests.audit_cli.conftest import Audit
from tests.unit.kube.loopback import serving


async def test_nothing_is_lost_when_the_newest_row_is_one_that_this_adaptor_lacks(
    audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two replicas that share an archive, this one follows its own log; a row comes while it is
    being asked, and the connection is lost before another one.
    """
    monkeypatch.setattr(tail_module, "_AGAIN", 0)
    asked: list[str | None] = []

    async def one_of_two(request: web.Request) -> web.Response:
        if request.path == "/api/v1/entries":
            page = {"entries": [entry("other", 7)], "next": None, "previous": None}
            return web.json_response({**page, "partial": False})
        if request.path == "/api/v1/runs":
            runs = [run("old", 9, ended=AT), run("other", 7), run("mine", 5)]
            return web.json_response({"runs": runs})
        asked.append(request.headers.get("Last-Event-ID"))
        if asked[-1] == "other.7":
            return web.json_response({"title": "x", "status": 404, "detail": "x"}, status=404)
        if len(asked) == 2:
            return web.Response(text=": on\n\n")
        if len(asked) == 4:
            return web.json_response({"title": "x", "status": 403, "detail": "enough"}, status=403)
        return web.Response(text=f"data: {json.dumps(entry('mine', 6))}\n\n")

    async with serving(one_of_two) as server:
        ended = await audit("tail", "--url", server.url, "-o", "name")
    assert asked == ["other.7", "mine.5", "mine.5", "mine.6"]
    assert ended.out.split() == ["mine:6"]
    assert "may be missing" not in ended.err


async def test_a_tail_that_may_have_missed_something_says_so(
    audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail_module, "_AGAIN", 0)
    asked: list[str | None] = []

    async def empty(request: web.Request) -> web.Response:
        if request.path == "/api/v1/entries":
            none: dict[str, object] = {"entries": [], "next": None, "previous": None}
            return web.json_response({**none, "partial": False})
        asked.append(request.headers.get("Last-Event-ID"))
        if len(asked) > 1:
            return web.json_response({"title": "x", "status": 403, "detail": "enough"}, status=403)
        return web.Response(text=": on\n\n")

    async with serving(empty) as server:
        ended = await audit("tail", "--url", server.url)
    assert asked == [None, None]
    assert len(ended.out.splitlines()) == 1  # the header, once
    assert "entries may be missing here" in ended.err


AT = "2026-11-23T11:26:03.322690Z"


def entry(run: str, seq: int) -> dict[str, object]:
    row: dict[str, object] = {"run": run, "seq": seq, "at": AT, "kind": "stopped"}
    names = ("namespace", "split", "service", "outcome", "actor", "reconcile", "resource_version")
    return {**row, "detail": {}, "documents": [], "hash": "", **dict.fromkeys(names)}


def run(name: str, last: int, ended: str | None = None) -> dict[str, object]:
    row: dict[str, object] = {"id": name, "started": AT, "ended": ended, "version": "1"}
    return {**row, "host": "h", "settings": {}, "cluster_domain": "", "first": 1, "last": last}
