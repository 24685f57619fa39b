"""Reads the part of a kubeconfig that a test client needs."""

from __future__ import annotations

import base64
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import yaml


@dataclass(frozen=True)
class Kubeconfig:
    """What a kubeconfig's current context says about server, trust and identity."""

    server: str
    ssl: ssl.SSLContext | bool
    token: str | None

    @classmethod
    def read(cls, path: Path) -> Self:
        """Understands inline and file CAs, tokens and client certificates in files."""
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
        context = _named(config["contexts"], config["current-context"])["context"]
        cluster = _named(config["clusters"], context["cluster"])["cluster"]
        user = _named(config["users"], context["user"])["user"]
        trust: ssl.SSLContext | bool = True
        if cluster["server"].startswith("https:"):
            data = cluster.get("certificate-authority-data")
            trust = ssl.create_default_context(
                cafile=cluster.get("certificate-authority"),
                cadata=base64.b64decode(data).decode() if data else None,
            )
            if "client-certificate" in user:
                trust.load_cert_chain(user["client-certificate"], user["client-key"])
        return cls(server=cluster["server"].rstrip("/"), ssl=trust, token=user.get("token"))


def _named(entries: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(entry for entry in entries if entry["name"] == name)
