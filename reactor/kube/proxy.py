"""The environment's proxies, looked up once, as Go's ProxyFromEnvironment understands them."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit


def from_environment(server: str, environ: Mapping[str, str]) -> str | None:
    """The proxy for this server, None for none."""
    parts = urlsplit(server)
    names = (f"{parts.scheme}_proxy", f"{parts.scheme}_proxy".upper())
    proxy = next((environ[name] for name in names if environ.get(name)), None)
    exempt = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    host = parts.hostname or ""
    if proxy is None or host in ("localhost", "127.0.0.1", "::1"):  # as Go does
        return None
    return None if any(_exempts(entry.strip(), host) for entry in exempt.split(",")) else proxy


def _exempts(entry: str, host: str) -> bool:
    if entry == "*" or entry == host:
        return True
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return bool(entry) and host.endswith("." + entry.lstrip(".*"))
