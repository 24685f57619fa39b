"""From a user section to a source of identities and to the headers of impersonation."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml

from reactor.errors import Fatal
from reactor.kube.credentials import Source
from reactor.kube.execplugin import ExecPlugin
from reactor.kube.oidc import Oidc
from reactor.kube.target import Section, Target
from reactor.kube.tokens import Static, TokenFile, basic, bearer

log = logging.getLogger(__name__)


def source(target: Target, *, environ: Mapping[str, str], clock: Callable[[], float]) -> Source:
    """What kubectl would use of the user section: a tokenFile before a token, and so on."""
    user = target.user
    if "exec" in user.fields and "auth-provider" in user.fields:
        raise Fatal(f"{user.where}: exec and auth-provider exclude each other: remove one")
    token, file = user.text("token"), user.text("tokenFile")
    name, password = user.text("username"), user.text("password")
    if name and (token or file):
        raise Fatal(f"{user.where}: username and token exclude each other: remove one")
    if file:
        return TokenFile(user.folder / file, where=f"{user.where}.tokenFile", clock=clock)
    if token:
        try:
            return Static(bearer(token))
        except ValueError as error:
            raise Fatal(f"{user.where}.token: {error}: write it again") from error
    if name or password:
        return Static(basic(name or "", password or ""))
    if "exec" in user.fields:
        return ExecPlugin(target, environ=environ, clock=clock)
    if "auth-provider" in user.fields:
        return Oidc(user, clock=clock, persist=lambda tokens: persist(user, tokens))
    return Static(None)


def impersonation(user: Section) -> list[tuple[str, str]]:
    """Headers for `as`, `as-uid`, `as-groups` and `as-user-extra`."""
    name, uid = user.text("as"), user.text("as-uid")
    groups = user.fields.get("as-groups") or []
    extra = user.fields.get("as-user-extra") or {}
    if not isinstance(groups, list) or not all(isinstance(group, str) for group in groups):
        raise Fatal(f"{user.where}.as-groups must be a list of strings: mend it in that file")
    if not isinstance(extra, dict) or not all(_strings(values) for values in extra.values()):
        raise Fatal(f"{user.where}.as-user-extra must map names to lists of strings")
    if name is None:
        if uid or groups or extra:
            raise Fatal(f"{user.where}: as-uid, as-groups and as-user-extra need `as`: add it")
        return []
    headers = [("Impersonate-User", name)]
    if uid:
        headers.append(("Impersonate-Uid", uid))
    headers += [("Impersonate-Group", group) for group in groups]
    for key, values in extra.items():
        header = "Impersonate-Extra-" + quote(str(key), safe="")
        headers += [(header, value) for value in values]
    return headers


def persist(user: Section, tokens: Mapping[str, str]) -> None:
    """Writes refreshed OIDC tokens back, as kubectl does: an old refresh token may be dead."""
    if user.file is None:
        return
    try:
        document: Any = yaml.safe_load(user.file.read_text())
        for item in document["users"]:
            if item["name"] == user.name:
                item["user"]["auth-provider"]["config"].update(tokens)
        _replace(user.file.resolve(), yaml.safe_dump(document, sort_keys=False))
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        log.warning("%s: the refreshed tokens stay in memory only: %s", user.where, error)


def _replace(path: Path, text: str) -> None:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # mode 0600
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def _strings(values: object) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)
