"""Credentials from a program, client.authentication.k8s.io (`users[].user.exec`).

https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
"""

from __future__ import annotations

import asyncio
import datetime
import os
import shutil
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from reactor.errors import Fatal, Retryable
from reactor.kube.credentials import Identity
from reactor.kube.target import Section, Target, why
from reactor.kube.tokens import bearer

_VERSIONS = tuple(f"client.authentication.k8s.io/{v}" for v in ("v1", "v1beta1"))
_FIELDS = (
    "apiVersion",
    "command",
    "args",
    "env",
    "installHint",
    "interactiveMode",
    "provideClusterInfo",
)
_AHEAD = 10.0  # seconds before the expiry at which we ask again
_PATIENCE = 60.0  # seconds that the program may take


class _Answer(msgspec.Struct, rename="camel"):
    token: str | None = None
    client_certificate_data: str | None = None
    client_key_data: str | None = None
    expiration_timestamp: datetime.datetime | None = None


class _Credential(msgspec.Struct, rename="camel"):
    api_version: str
    kind: str
    status: _Answer


class ExecPlugin:
    """Runs the command of a kubeconfig user and reads the ExecCredential that it prints."""

    def __init__(
        self, target: Target, *, environ: Mapping[str, str], clock: Callable[[], float]
    ) -> None:
        self._clock = clock
        self._where = f"{target.user.where}.exec"
        section = Section(self._where, target.user.folder, _mapping(target.user, "exec"))
        for field in section.fields:
            if field not in _FIELDS:
                raise Fatal(f"{self._where}.{field} is a field we can't honour: remove it")
        self._version = section.text("apiVersion") or "nothing"
        if self._version not in _VERSIONS:
            raise Fatal(
                f"{self._where}.apiVersion is {self._version}, expected {' or '.join(_VERSIONS)}"
            )
        if section.text("interactiveMode") == "Always":
            raise Fatal(
                f"{self._where}.interactiveMode is Always, but nobody sits here to answer:"
                " use IfAvailable or Never"
            )
        self._argv = [_program(section, environ), *_arguments(section)]
        self._environ = {**environ, **_variables(section)}
        self._environ["KUBERNETES_EXEC_INFO"] = _info(
            self._version, target if section.flag("provideClusterInfo") else None
        )

    async def fetch(self, *, rejected: bool) -> Identity:
        """Runs the program; Retryable when it fails, hangs, or prints something else."""
        try:
            process = await asyncio.create_subprocess_exec(
                *self._argv,
                env=self._environ,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            raise Retryable(f"{self._where}: can't run {self._argv[0]}: {why(error)}") from error
        try:
            async with asyncio.timeout(_PATIENCE):
                out, err = await process.communicate()
        except TimeoutError as error:
            raise Retryable(
                f"{self._where}: {self._argv[0]} gave no answer for {_PATIENCE:.0f} s"
            ) from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            said = " ".join(err.decode(errors="replace").split())[:300] or "nothing on stderr"
            raise Retryable(
                f"{self._where}: {self._argv[0]} ended with {process.returncode}: {said}"
            )
        return self._read(out)

    def _read(self, out: bytes) -> Identity:
        try:
            credential = msgspec.json.decode(out, type=_Credential)
        except msgspec.MsgspecError as error:
            raise Retryable(
                f"{self._where}: {self._argv[0]} printed no ExecCredential: {error}"
            ) from error
        if credential.kind != "ExecCredential" or credential.api_version != self._version:
            raise Retryable(
                f"{self._where}: {self._argv[0]} printed {credential.kind}"
                f" {credential.api_version}, expected ExecCredential {self._version}"
            )
        status = credential.status
        certificate = None
        if status.client_certificate_data and status.client_key_data:
            certificate = (
                status.client_certificate_data.encode(),
                status.client_key_data.encode(),
            )
        if not status.token and certificate is None:
            raise Retryable(
                f"{self._where}: {self._argv[0]} printed neither a token nor a client"
                " certificate with its key"
            )
        try:
            authorization = bearer(status.token) if status.token else None
        except ValueError as error:
            raise Retryable(f"{self._where}: {self._argv[0]}: {error}") from error
        expiry = status.expiration_timestamp
        return Identity(
            authorization,
            certificate,
            until=max(expiry.timestamp() - _AHEAD, self._clock() + 1.0) if expiry else None,
        )


def _mapping(user: Section, field: str) -> Mapping[str, Any]:
    value = user.fields[field]
    if not isinstance(value, dict):
        raise Fatal(f"{user.where}.{field} must be a mapping: mend it in that file")
    return value


def _program(section: Section, environ: Mapping[str, str]) -> str:
    command = section.text("command")
    if command is None:
        raise Fatal(f"{section.where}.command is missing: name the program to run")
    # As kubectl: a bare name is looked up in PATH, a path is relative to the kubeconfig.
    path = str(section.folder / command) if os.sep in command else command
    found = shutil.which(path, path=environ.get("PATH", os.defpath))
    if found is None:
        hint = section.text("installHint")
        more = f" ({' '.join(hint.split())})" if hint else ""
        raise Fatal(f"{section.where}.command: no program {path}: install it{more}")
    return found


def _arguments(section: Section) -> list[str]:
    arguments = section.fields.get("args") or []
    if not isinstance(arguments, list) or not all(isinstance(a, str) for a in arguments):
        raise Fatal(f"{section.where}.args must be a list of strings: quote the numbers")
    return arguments


def _variables(section: Section) -> dict[str, str]:
    try:
        return msgspec.convert(
            {item["name"]: item["value"] for item in section.fields.get("env") or []},
            dict[str, str],
        )
    except (TypeError, KeyError, msgspec.ValidationError) as error:
        raise Fatal(f"{section.where}.env must be a list of name and value strings") from error


def _info(version: str, target: Target | None) -> str:
    spec: dict[str, Any] = {"interactive": False}
    if target is not None:
        fields = target.cluster.fields
        cluster: dict[str, Any] = {"server": target.server}
        if target.authority:
            cluster["certificate-authority-data"] = target.authority
        for field in ("tls-server-name", "insecure-skip-tls-verify", "proxy-url"):
            if field in fields:
                cluster[field] = fields[field]
        for extension in fields.get("extensions") or []:
            if extension.get("name") == "client.authentication.k8s.io/exec":
                cluster["config"] = extension.get("extension")
        spec["cluster"] = cluster
    info = {"apiVersion": version, "kind": "ExecCredential", "spec": spec}
    return msgspec.json.encode(info).decode()
