"""Who we are to the API server, through expiry, rotation and failure."""

from __future__ import annotations

import asyncio
import base64
import json
import stat
import urllib.parse
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web

from reactor.errors import Fatal, Retryable, Terminal
from reactor.kube.connection import Connection
from reactor.kube.credentials import Credentials, Identity
from reactor.kube.kubeconfig import find

from .loopback import Loopback, kubeconfig, serving

NOW = 1_800_000_000.0


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


class Gate:
    """A server that accepts one Authorization header."""

    def __init__(self, accepted: str | None = None) -> None:
        self.accepted = accepted
        self.came: list[str | None] = []

    async def __call__(self, request: web.Request) -> web.Response:
        given = request.headers.get("Authorization")
        self.came.append(given)
        return web.json_response({}, status=200 if self.accepted in (None, given) else 401)


def connection(
    directory: Path, server: Loopback, user: dict[str, Any], clock: Clock, **environ: str
) -> Connection:
    path = kubeconfig(directory, server.url, user=user)
    target = find(path, context=None, environ=environ, service_account=directory)
    return Connection(target=target, environ=environ, clock=clock)


def plugin(directory: Path, body: str, name: str = "login") -> Path:
    path = directory / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def credential(token: str, *, version: str = "v1", expires: str | None = None) -> str:
    status = {"token": token, **({"expirationTimestamp": expires} if expires else {})}
    text = {
        "apiVersion": f"client.authentication.k8s.io/{version}",
        "kind": "ExecCredential",
        "status": status,
    }
    return f"cat <<'X'\n{json.dumps(text)}\nX"


def exec_user(command: str, *, version: str = "v1", **fields: Any) -> dict[str, Any]:
    return {
        "exec": {
            "apiVersion": f"client.authentication.k8s.io/{version}",
            "command": command,
            "interactiveMode": "Never",
            **fields,
        }
    }


class TestTokens:
    async def test_a_rotated_token_file_is_read_again_after_ten_seconds(
        self, tmp_path: Path
    ) -> None:
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

    async def test_a_401_reads_the_token_file_at_once_and_tries_once_more(
        self, tmp_path: Path
    ) -> None:
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

    async def test_a_token_that_stays_refused_is_not_sent_twice(self, tmp_path: Path) -> None:
        gate = Gate("Bearer right")
        async with (
            serving(gate) as server,
            connection(tmp_path, server, {"token": "wrong"}, Clock()) as api,
        ):
            with pytest.raises(Terminal) as caught:
                await api.request("GET", "/")
        assert caught.value.status == 401
        assert gate.came == ["Bearer wrong"]

    async def test_a_token_file_that_vanishes_leaves_the_token_in_use(self, tmp_path: Path) -> None:
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

    async def test_a_token_file_wins_over_a_token(self, tmp_path: Path) -> None:
        gate = Gate()
        (tmp_path / "token").write_text("file")
        user = {"tokenFile": "token", "token": "inline"}
        async with serving(gate) as server, connection(tmp_path, server, user, Clock()) as api:
            await api.request("GET", "/")
        assert gate.came == ["Bearer file"]

    async def test_a_name_and_a_password_become_basic_authentication(self, tmp_path: Path) -> None:
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


class TestExec:
    @pytest.mark.parametrize("version", ["v1", "v1beta1"])
    async def test_a_plugin_beside_the_kubeconfig_gives_the_token(
        self, tmp_path: Path, version: str
    ) -> None:
        plugin(tmp_path, credential("abc", version=version))
        gate = Gate()
        user = exec_user("./login", version=version)
        async with serving(gate) as server, connection(tmp_path, server, user, Clock()) as api:
            await api.request("GET", "/")
        assert gate.came == ["Bearer abc"]

    async def test_a_bare_name_is_looked_up_in_the_path(self, tmp_path: Path) -> None:
        (tmp_path / "bin").mkdir()
        plugin(tmp_path / "bin", credential("abc"), "my-login")
        gate, path = Gate(), f"{tmp_path / 'bin'}:/bin:/usr/bin"
        async with (
            serving(gate) as server,
            connection(tmp_path, server, exec_user("my-login"), Clock(), PATH=path) as api,
        ):
            await api.request("GET", "/")
        assert gate.came == ["Bearer abc"]

    async def test_arguments_environment_and_the_cluster_reach_the_plugin(
        self, tmp_path: Path
    ) -> None:
        token = "%s-%s"
        plugin(
            tmp_path,
            'case "$KUBERNETES_EXEC_INFO" in *\'"server":"http://127.0.0.1\'*) seen=1;; esac\n'
            + f"printf '%s' '{_exec_json(token)}' | sed \"s/%s-%s/$1-$WHO-$seen/\"",
        )
        gate = Gate()
        user = exec_user(
            "./login",
            args=["hello"],
            env=[{"name": "WHO", "value": "me"}],
            provideClusterInfo=True,
        )
        async with (
            serving(gate) as server,
            connection(tmp_path, server, user, Clock(), PATH="/bin:/usr/bin") as api,
        ):
            await api.request("GET", "/")
        assert gate.came == ["Bearer hello-me-1"]

    async def test_it_runs_again_shortly_before_the_token_expires(self, tmp_path: Path) -> None:
        gate, clock = Gate(), Clock()
        plugin(tmp_path, credential("one", expires="2027-01-15T09:00:00Z"))  # NOW is 08:00
        user = exec_user("./login")
        async with serving(gate) as server, connection(tmp_path, server, user, clock) as api:
            await api.request("GET", "/")
            plugin(tmp_path, credential("two", expires="2027-01-15T10:00:00Z"))
            clock.now += 3580
            await api.request("GET", "/")
            clock.now += 11
            await api.request("GET", "/")
        assert gate.came == ["Bearer one", "Bearer one", "Bearer two"]

    async def test_a_401_runs_it_again(self, tmp_path: Path) -> None:
        gate = Gate("Bearer one")
        plugin(tmp_path, credential("one"))
        user = exec_user("./login")
        async with serving(gate) as server, connection(tmp_path, server, user, Clock()) as api:
            await api.request("GET", "/")
            plugin(tmp_path, credential("two"))
            gate.accepted = "Bearer two"
            await api.request("GET", "/")
        assert gate.came == ["Bearer one", "Bearer one", "Bearer two"]

    async def test_a_refresh_that_fails_leaves_the_token_in_use_and_is_tried_again(
        self, tmp_path: Path
    ) -> None:
        gate, clock = Gate(), Clock()
        plugin(tmp_path, credential("one", expires="2027-01-15T09:00:00Z"))
        user = exec_user("./login")
        async with serving(gate) as server, connection(tmp_path, server, user, clock) as api:
            await api.request("GET", "/")
            plugin(tmp_path, "echo no network >&2; exit 3")
            clock.now += 3595
            await api.request("GET", "/")
            plugin(tmp_path, credential("two"))
            clock.now += 6
            await api.request("GET", "/")
        assert gate.came == ["Bearer one", "Bearer one", "Bearer two"]

    @pytest.mark.parametrize(
        ("body", "line"),
        [
            ("echo 'please log in' >&2; exit 3", "ended with 3: please log in"),
            ("echo hello", "printed no ExecCredential"),
            (credential("x", version="v1beta1"), "expected ExecCredential client.*v1"),
            (credential("not good"), "characters that no token has"),
            (credential(""), "printed neither a token nor"),
        ],
    )
    async def test_a_plugin_that_fails_is_told_and_tried_again(
        self, tmp_path: Path, body: str, line: str
    ) -> None:
        plugin(tmp_path, body)
        gate = Gate()
        user = exec_user("./login")
        async with serving(gate) as server, connection(tmp_path, server, user, Clock()) as api:
            with pytest.raises(Retryable, match=line):
                await api.request("GET", "/")
            plugin(tmp_path, credential("abc"))
            await asyncio.sleep(0)
            await api.request("GET", "/")
        assert gate.came == ["Bearer abc"]

    @pytest.mark.parametrize(
        ("fields", "line"),
        [
            ({"command": "no-such-login"}, r"no program no-such-login: install it \(brew it\)"),
            ({"command": "./nope"}, "no program .*/nope"),
            ({"apiVersion": "client.authentication.k8s.io/v1alpha1"}, "expected client"),
            ({"interactiveMode": "Always"}, "nobody sits here"),
            ({"args": [1]}, "args must be a list of strings"),
            ({"env": [{"name": "X"}]}, "env must be a list"),
            ({"comand": "x"}, "comand is a field we can't honour"),
        ],
    )
    def test_what_cannot_work_is_one_line(
        self, tmp_path: Path, fields: dict[str, Any], line: str
    ) -> None:
        plugin(tmp_path, "true")
        user = exec_user("./login", installHint="brew\nit")
        user["exec"].update(fields)
        path = kubeconfig(tmp_path, "https://there", user=user)
        with pytest.raises(Fatal, match=line) as caught:
            Connection.from_kubeconfig(path, environ={})
        assert "\n" not in str(caught.value)


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


class TestOidc:
    async def test_an_id_token_is_used_while_it_is_valid_and_then_refreshed(
        self, tmp_path: Path
    ) -> None:
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

    async def test_a_401_refreshes_an_id_token_that_looks_valid(self, tmp_path: Path) -> None:
        gate, issuer = Gate(f"Bearer {jwt(NOW + 7200, 1)}"), Issuer()
        async with serving(gate) as server, serving(issuer) as provider:
            issuer.url = provider.url
            user = oidc_user(
                provider.url, **{"id-token": jwt(NOW + 900), "refresh-token": "refresh-1"}
            )
            async with connection(tmp_path, server, user, Clock()) as api:
                await api.request("GET", "/")
        assert len(gate.came) == 2

    async def test_an_issuer_that_refuses_is_told(self, tmp_path: Path) -> None:
        gate, issuer = Gate(), Issuer()
        async with serving(gate) as server, serving(issuer) as provider:
            issuer.url = provider.url
            user = oidc_user(provider.url, **{"refresh-token": "stale"})
            async with connection(tmp_path, server, user, Clock()) as api:
                with pytest.raises(Retryable, match="no new token from http://127"):
                    await api.request("GET", "/")


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


def _exec_json(token: str) -> str:
    return json.dumps(
        {
            "apiVersion": "client.authentication.k8s.io/v1",
            "kind": "ExecCredential",
            "status": {"token": token},
        }
    )
