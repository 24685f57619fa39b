"""Credentials from a program beside the kubeconfig or in the PATH."""

from __future__ import annotations

import asyncio
import base64
import json
import stat
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from reactor.errors import Fatal, Retryable
from reactor.kube.connection import Connection
from reactor.kube.kubeconfig import find

from .certificate import Pair, self_signed
from .gate import Clock, Gate, connection
from .loopback import kubeconfig, serving


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


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
async def test_a_plugin_beside_the_kubeconfig_gives_the_token(tmp_path: Path, version: str) -> None:
    plugin(tmp_path, credential("abc", version=version))
    gate = Gate()
    user = exec_user("./login", version=version)
    async with serving(gate) as server, connection(tmp_path, server, user, Clock()) as api:
        await api.request("GET", "/")
    assert gate.came == ["Bearer abc"]


async def test_a_bare_name_is_looked_up_in_the_path(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    plugin(tmp_path / "bin", credential("abc"), "my-login")
    gate, path = Gate(), f"{tmp_path / 'bin'}:/bin:/usr/bin"
    async with (
        serving(gate) as server,
        connection(tmp_path, server, exec_user("my-login"), Clock(), PATH=path) as api,
    ):
        await api.request("GET", "/")
    assert gate.came == ["Bearer abc"]


async def test_arguments_environment_and_the_cluster_reach_the_plugin(tmp_path: Path) -> None:
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


async def test_it_runs_again_shortly_before_the_token_expires(tmp_path: Path) -> None:
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


async def test_a_401_runs_it_again(tmp_path: Path) -> None:
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
    tmp_path: Path,
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


async def test_a_certificate_from_a_plugin_is_presented_and_renewed(tmp_path: Path) -> None:
    server_pair, first, second = self_signed(), self_signed("one"), self_signed("two")
    presented: list[object] = []

    async def note(request: web.Request) -> web.Response:
        assert request.transport is not None
        peer = request.transport.get_extra_info("peercert")
        presented.append(dict(part[0] for part in peer["subject"])["commonName"])
        return web.json_response({})

    clock = Clock()
    plugin(tmp_path, _certificates(first, "2027-01-15T09:00:00Z"))
    authority = base64.b64encode(server_pair.certificate).decode()
    path = tmp_path / "config"
    clients = first.certificate + second.certificate
    async with serving(note, pair=server_pair, clients=clients) as server:
        kubeconfig(
            tmp_path,
            server.url,
            cluster={"certificate-authority-data": authority},
            user=exec_user("./login"),
        )
        target = find(str(path), context=None, environ={}, service_account=tmp_path)
        async with Connection(target=target, environ={}, clock=clock) as api:
            await api.request("GET", "/")
            plugin(tmp_path, _certificates(second, "2027-01-15T10:00:00Z"))
            clock.now += 3595
            await api.request("GET", "/")
    assert presented == ["one", "two"]


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
    tmp_path: Path, body: str, line: str
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
def test_what_cannot_work_is_one_line(tmp_path: Path, fields: dict[str, Any], line: str) -> None:
    plugin(tmp_path, "true")
    user = exec_user("./login", installHint="brew\nit")
    user["exec"].update(fields)
    path = kubeconfig(tmp_path, "https://there", user=user)
    with pytest.raises(Fatal, match=line) as caught:
        Connection.from_kubeconfig(path, environ={})
    assert "\n" not in str(caught.value)


def _certificates(pair: Pair, expires: str) -> str:
    status = {
        "clientCertificateData": pair.certificate.decode(),
        "clientKeyData": pair.key.decode(),
        "expirationTimestamp": expires,
    }
    text = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": status,
    }
    return f"cat <<'X'\n{json.dumps(text)}\nX"


def _exec_json(token: str) -> str:
    return json.dumps(
        {
            "apiVersion": "client.authentication.k8s.io/v1",
            "kind": "ExecCredential",
            "status": {"token": token},
        }
    )
