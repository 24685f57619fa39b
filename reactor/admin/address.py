"""Binding the admin port: an address becomes a listening socket, or one clear line."""

from __future__ import annotations

import errno
import socket

from reactor import hostport
from reactor.errors import Fatal


def bind(address: str) -> socket.socket:
    """Return a bound socket for ``:9995`` (all interfaces), ``127.0.0.1:0``, ``[::1]:9995``.

    Fatal names the port and what to do.
    """
    try:
        host, port = hostport.split(address)
    except ValueError as error:
        raise Fatal(f"admin port {address!r}: {error}; mend -metrics-addr", code=2) from error
    try:
        return _bound(host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            why = f"port {port} is in use: stop what listens there, or give another address"
        elif error.errno == errno.EACCES:
            why = f"port {port} needs more rights than this process has: give one above 1023"
        else:
            why = f"can't listen on {host!r} port {port} ({error.strerror or error}): give another"
        raise Fatal(f"admin port {address!r}: {why} with -metrics-addr") from error


def _bound(host: str, port: int) -> socket.socket:
    if host:
        family, _, _, _, target = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        return _listen(family, target)
    if socket.has_dualstack_ipv6():
        try:
            return _listen(socket.AF_INET6, ("::", port, 0, 0), dual=True)
        except OSError as error:
            # A kernel that knows IPv6 but has it switched off for this network.
            if error.errno not in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}:
                raise
    return _listen(socket.AF_INET, ("0.0.0.0", port))


def _listen(family: int, target: object, *, dual: bool = False) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(not dual))
        sock.bind(target)  # type: ignore[arg-type]  # an address as getaddrinfo gives it
        sock.listen(128)
        sock.setblocking(False)
    except BaseException:
        sock.close()
        raise
    return sock
