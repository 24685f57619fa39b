"""Loopback ports that stay free while a server is down."""

from __future__ import annotations

import random
import socket

# Below the range from which the kernel takes ports for outgoing connections: a client that keeps
# calling a stopped server on a port of that range can end up connected to itself.
_LOWEST, _HIGHEST = 20_000, 32_000


def free_port() -> int:
    """A port that nobody listens on now."""
    for _ in range(1000):
        port = random.randint(_LOWEST, _HIGHEST)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port on 127.0.0.1")
