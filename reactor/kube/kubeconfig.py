"""Kubeconfig files, merged and chosen from as kubectl does it.

https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from reactor.errors import Fatal
from reactor.kube.target import Section, Target, in_cluster, why

_SECTIONS = (("clusters", "cluster"), ("users", "user"), ("contexts", "context"))
_USER_FIELDS = (
    *("client-certificate", "client-certificate-data", "client-key", "client-key-data"),
    *("token", "tokenFile", "username", "password", "auth-provider", "exec"),
    *("as", "as-uid", "as-groups", "as-user-extra", "extensions"),
)


def find(
    path: str | None,
    *,
    context: str | None,
    environ: Mapping[str, str],
    service_account: Path,
) -> Target:
    """The given file, else $KUBECONFIG, else the pod's own account, else ~/.kube/config."""
    if path:
        return read([Path(path).expanduser()], context=context)
    listed = [Path(p).expanduser() for p in environ.get("KUBECONFIG", "").split(os.pathsep) if p]
    if listed:
        present = [p for p in listed if p.exists()]
        if not present:
            names = os.pathsep.join(str(p) for p in listed)
            raise Fatal(f"KUBECONFIG names no file that is there: {names}; mend or unset it")
        return read(present, context=context)
    if environ.get("KUBERNETES_SERVICE_HOST"):
        return in_cluster(environ, service_account)
    home = Path(environ.get("HOME", "~")).expanduser() / ".kube" / "config"
    if home.exists():
        return read([home], context=context)
    raise Fatal(
        f"no cluster to talk to: give --kubeconfig, set KUBECONFIG, write {home}, or run in a pod"
    )


def read(paths: Sequence[Path], *, context: str | None) -> Target:
    """The cluster and the user of ``context`` (or of the first file's current-context)."""
    merged: dict[str, dict[str, Section]] = {kind: {} for kind, _ in _SECTIONS}
    chosen, chooser = context, "the given context"
    for path in paths:
        document = _load(path)
        for kind, inner in _SECTIONS:
            for name, section in _named(path, document, kind, inner):
                merged[kind].setdefault(name, section)
        current = document.get("current-context")
        if not chosen and isinstance(current, str) and current:
            chosen, chooser = current, f"kubeconfig {path}: current-context"
    files = os.pathsep.join(str(path) for path in paths)
    if not chosen:
        raise Fatal(
            f"kubeconfig {files}: current-context is not set: kubectl config use-context NAME"
        )
    picked = merged["contexts"].get(chosen)
    if picked is None:
        known = ", ".join(sorted(merged["contexts"])) or "none"
        raise Fatal(f"{chooser} names {chosen!r}, which is not in contexts ({known}) of {files}")
    cluster = _follow(picked, "cluster", merged["clusters"])
    if cluster is None:
        raise Fatal(f"{picked.where}.cluster is missing: name one of clusters")
    user = _follow(picked, "user", merged["users"])
    anonymous = Section(f"{picked.where}.user", picked.folder, {})
    return _target(cluster, user or anonymous, picked.text("namespace") or "default")


def _load(path: Path) -> dict[str, Any]:
    try:
        document = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise Fatal(
            f"kubeconfig {path}: can't read it: {why(error)}; check --kubeconfig"
        ) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" in line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "no YAML"
        raise Fatal(f"kubeconfig {path}: not YAML{line}: {problem}; mend that line") from error
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise Fatal(f"kubeconfig {path}: expected a mapping with clusters, users and contexts")
    return document


def _named(
    path: Path, document: Mapping[str, Any], kind: str, inner: str
) -> Iterable[tuple[str, Section]]:
    items = document.get(kind) or []
    if not isinstance(items, list):
        raise Fatal(f"kubeconfig {path}: {kind} must be a list: mend it in that file")
    for number, item in enumerate(items):
        name = item.get("name") if isinstance(item, dict) else None
        if not isinstance(name, str):
            raise Fatal(f"kubeconfig {path}: {kind}[{number}].name is missing: give it a name")
        fields = item.get(inner) or {}
        where = f"kubeconfig {path}: {kind}[{name}]"
        if not isinstance(fields, dict):
            raise Fatal(f"{where}.{inner} must be a mapping: mend it in that file")
        yield name, Section(where, path.absolute().parent, fields, name, path)


def _follow(picked: Section, field: str, known: Mapping[str, Section]) -> Section | None:
    name = picked.text(field)
    if name is None:
        return None
    if name not in known:
        there = ", ".join(sorted(known)) or "none"
        raise Fatal(f"{picked.where}.{field} names {name!r}, which is not there ({there})")
    return known[name]


def _target(cluster: Section, user: Section, namespace: str) -> Target:
    server = cluster.text("server")
    if server is None or not server.startswith(("https://", "http://")):
        raise Fatal(f"{cluster.where}.server must be a URL such as https://10.0.0.1:6443")
    for field in user.fields:
        if field not in _USER_FIELDS:
            raise Fatal(f"{user.where}.{field} is a field we can't honour: remove it")
    insecure = cluster.flag("insecure-skip-tls-verify")
    authority = cluster.material("certificate-authority")
    if insecure and authority:
        raise Fatal(
            f"{cluster.where}: insecure-skip-tls-verify and certificate-authority exclude each"
            " other: remove one"
        )
    proxy = cluster.text("proxy-url")
    if proxy and not proxy.startswith(("http://", "https://")):
        raise Fatal(f"{cluster.where}.proxy-url must be an http:// or https:// URL")
    return Target(
        server=server.rstrip("/"),
        authority=authority,
        verify=not insecure,
        tls_name=cluster.text("tls-server-name"),
        proxy=proxy,
        user=user,
        cluster=cluster,
        namespace=namespace,
    )
