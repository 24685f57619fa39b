"""HOST:PORT, as flags take it."""

from __future__ import annotations

import ipaddress
import re

_HOST = re.compile(r"[^\s/\[\]]*", re.ASCII)
_PORT = re.compile(r"\d{1,5}", re.ASCII)


def split(text: str) -> tuple[str, int]:
    """The host, empty in ``:9995``, without the brackets of ``[::1]:9995``; and the port.

    Raises ValueError, which says what is wrong and what to write.
    """
    host, colon, port = text.rpartition(":")
    if not colon:
        raise ValueError("write HOST:PORT or :PORT, such as 127.0.0.1:9995 or :9995")
    if not _PORT.fullmatch(port) or int(port) > 65535:
        raise ValueError(f"{port!r} is no port: write a number from 0 to 65535 behind the colon")
    if host.startswith("[") and host.endswith("]"):
        try:
            return str(ipaddress.IPv6Address(host[1:-1])), int(port)
        except ValueError as error:
            raise ValueError(
                f"{host} is no IPv6 address: write one such as [::1]:{port}"
            ) from error
    if not _HOST.fullmatch(host):
        raise ValueError(f"{host!r} is no host: write a name or an address, 127.0.0.1:{port}")
    if ":" in host:
        raise ValueError(f"an IPv6 address is written in brackets, [::1]:{port}")
    return host, int(port)
