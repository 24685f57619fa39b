"""OpenID Connect: an id-token, its refresh, and where the new one is kept."""

from __future__ import annotations

import base64
import json
import stat
import urllib.parse
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web

from reactor.errors import Retryable

from .gate import NOW, Clock, Gate, connection
from .loopback import serving


class Issuer:
    """An OpenID provider with one refresh token at a time."""

    def __init__(self) -> None:
        self.url = ""
        self.refresh_token = "refresh-1"
        self.issued = 0
        self.expiry = NOW + 7200

    async def __call__(self, request: web.Request) -> web.Response:
        if request.path == "/.well-known/openid-configuration":
            return web.json_response({"token_endpoint": f"{self.url}/token"})
        form = urllib.parse.parse_qs((await request.read()).decode())
        if form["refresh_token"] != [self.refresh_token]:
            return web.json_response({"error": "invalid_grant"}, status=400)
        self.issued += 1
        self.refresh_token = f"refresh-{self.issued + 1}"
        answer = {"id_token": jwt(self.expiry, self.issued), "refresh_token": self.refresh_token}
        return web.json_response(answer)


def jwt(expiry: float, number: int = 0) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'none'})}.{part({'exp': expiry, 'n': number})}.signature"


def oidc_user(issuer: str, **config: str) -> dict[str, Any]:
    fields = {"idp-issuer-url": issuer, "client-id": "kubernetes", "client-secret": "s", **config}
    return {"auth-provider": {"name": "oidc", "config": fields}}


async def test_an_id_token_is_used_while_it_is_valid_and_then_refreshed(tmp_path: Path) -> None:
    gate, issuer, clock = Gate(), Issuer(), Clock()
    first = jwt(NOW + 100)
    async with serving(gate) as server, serving(issuer) as provider:
        issuer.url = provider.url
        user = oidc_user(provider.url, **{"id-token": first, "refresh-token": "refresh-1"})
        async with connection(tmp_path, server, user, clock) as api:
            await api.request("GET", "/")
            clock.now += 95
            await api.request("GET", "/")
    second = jwt(issuer.expiry, 1)
    assert gate.came == [f"Bearer {first}", f"Bearer {second}"]
    saved = yaml.safe_load((tmp_path / "config").read_text())
    config = saved["users"][0]["user"]["auth-provider"]["config"]
    assert (config["id-token"], config["refresh-token"]) == (second, "refresh-2")
    assert stat.S_IMODE((tmp_path / "config").stat().st_mode) == 0o600


async def test_a_401_refreshes_an_id_token_that_looks_valid(tmp_path: Path) -> None:
    gate, issuer = Gate(f"Bearer {jwt(NOW + 7200, 1)}"), Issuer()
    async with serving(gate) as server, serving(issuer) as provider:
        issuer.url = provider.url
        user = oidc_user(provider.url, **{"id-token": jwt(NOW + 900), "refresh-token": "refresh-1"})
        async with connection(tmp_path, server, user, Clock()) as api:
            await api.request("GET", "/")
    assert len(gate.came) == 2


async def test_an_issuer_that_refuses_is_told(tmp_path: Path) -> None:
    gate, issuer = Gate(), Issuer()
    async with serving(gate) as server, serving(issuer) as provider:
        issuer.url = provider.url
        user = oidc_user(provider.url, **{"refresh-token": "stale"})
        async with connection(tmp_path, server, user, Clock()) as api:
            with pytest.raises(Retryable, match="no new token from http://127"):
                await api.request("GET", "/")
