"""Who we are to the API server, through rotation, failure and impersonation."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path

import pytest
from aiohttp import web

from reactor.errors import Terminal
from reactor.kube.credentials import Credentials, Identity

from .gate import Clock, Gate, connection
from .loopback import serving


async def test_a_rotated_token_file_is_read_again_after_ten_seconds(tmp_path: Path) -> None:
    gate, clock = Gate(), Clock()
    (tmp_path / "token").write_text("one\n")
    async with (
        serving(gate) as server,
        connection(tmp_path, server, {"tokenFile": "token"}, clock) as api,
    ):
        await api.request("GET", "/")
        (tmp_path / "token").write_text("two\n")
        await api.request("GET", "/")
        clock.now += 11
        await api.request("GET", "/")
    assert gate.came == ["Bearer one", "Bearer one", "Bearer two"]


async def test_a_401_reads_the_token_file_at_once_and_tries_once_more(tmp_path: Path) -> None:
    gate, clock = Gate("Bearer one"), Clock()
    (tmp_path / "token").write_text("one")
    async with (
        serving(gate) as server,
        connection(tmp_path, server, {"tokenFile": "token"}, clock) as api,
    ):
        await api.request("GET", "/")
        (tmp_path / "token").write_text("two")
        gate.accepted = "Bearer two"
        await api.request("PATCH", "/", body=b"{}")
    assert gate.came == ["Bearer one", "Bearer one", "Bearer two"]


async def test_a_token_that_stays_refused_is_not_sent_twice(tmp_path: Path) -> None:
    gate = Gate("Bearer right")
    async with (
        serving(gate) as server,
        connection(tmp_path, server, {"token": "wrong"}, Clock()) as api,
    ):
        with pytest.raises(Terminal) as caught:
            await api.request("GET", "/")
    assert caught.value.status == 401
    assert gate.came == ["Bearer wrong"]


async def test_a_token_file_that_vanishes_leaves_the_token_in_use(tmp_path: Path) -> None:
    gate, clock = Gate(), Clock()
    (tmp_path / "token").write_text("one")
    async with (
        serving(gate) as server,
        connection(tmp_path, server, {"tokenFile": "token"}, clock) as api,
    ):
        await api.request("GET", "/")
        (tmp_path / "token").unlink()
        clock.now += 11
        await api.request("GET", "/")
    assert gate.came == ["Bearer one", "Bearer one"]


async def test_a_token_file_wins_over_a_token(tmp_path: Path) -> None:
    gate = Gate()
    (tmp_path / "token").write_text("file")
    user = {"tokenFile": "token", "token": "inline"}
    async with serving(gate) as server, connection(tmp_path, server, user, Clock()) as api:
        await api.request("GET", "/")
    assert gate.came == ["Bearer file"]


async def test_a_name_and_a_password_become_basic_authentication(tmp_path: Path) -> None:
    gate = Gate()
    user = {"username": "me", "password": "pässword"}
    async with serving(gate) as server, connection(tmp_path, server, user, Clock()) as api:
        await api.request("GET", "/")
    expected = base64.b64encode("me:pässword".encode()).decode()
    assert gate.came == [f"Basic {expected}"]


async def test_impersonation_is_asked_for_in_every_request(tmp_path: Path) -> None:
    seen: list[dict[str, list[str]]] = []

    async def note(request: web.Request) -> web.Response:
        names = ["Impersonate-User", "Impersonate-Uid", "Impersonate-Group"]
        names.append("Impersonate-Extra-scopes%2Fteam")
        seen.append({name: request.headers.getall(name, []) for name in names})
        return web.json_response({})

    user = {
        "as": "jane",
        "as-uid": "7",
        "as-groups": ["dev", "ops"],
        "as-user-extra": {"scopes/team": ["a", "b"]},
    }
    async with serving(note) as server, connection(tmp_path, server, user, Clock()) as api:
        await api.request("GET", "/")
    assert seen == [
        {
            "Impersonate-User": ["jane"],
            "Impersonate-Uid": ["7"],
            "Impersonate-Group": ["dev", "ops"],
            "Impersonate-Extra-scopes%2Fteam": ["a", "b"],
        }
    ]


async def test_many_requests_share_one_refresh() -> None:
    class Slow:
        def __init__(self) -> None:
            self.fetched = 0

        async def fetch(self, *, rejected: bool) -> Identity:
            self.fetched += 1
            await asyncio.sleep(0)
            return Identity(f"Bearer {self.fetched}")

    slow = Slow()
    credentials = Credentials(source=slow, clock=Clock())
    found = await asyncio.gather(*(credentials.current() for _ in range(20)))
    assert slow.fetched == 1
    renewed = await asyncio.gather(*(credentials.renew(found[0]) for _ in range(20)))
    assert slow.fetched == 2
    assert all(renewed)
