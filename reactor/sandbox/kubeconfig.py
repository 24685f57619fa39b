"""The kubeconfig that leads a client to the sandbox."""

from __future__ import annotations

import base64
import os
from pathlib import Path

from reactor.sandbox.documents import Document, encode


def document(*, url: str, authority: bytes, user: str, token: str, namespace: str) -> Document:
    """A kubeconfig with one cluster, one user, one context."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": "sandbox",
                "cluster": {
                    "server": url,
                    "certificate-authority-data": base64.b64encode(authority).decode(),
                },
            }
        ],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [
            {
                "name": "sandbox",
                "context": {"cluster": "sandbox", "user": user, "namespace": namespace},
            }
        ],
        "current-context": "sandbox",
    }


def write(path: Path, config: Document) -> Path:
    """Write it (JSON is YAML), readable by the owner alone, whole or not at all."""
    draft = path.with_name(path.name + ".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(encode(config) + b"\n")
    draft.replace(path)
    return path
