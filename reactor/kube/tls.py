"""TLS contexts: made once, from memory."""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from reactor.errors import Fatal
from reactor.kube.target import Section, why


def context(*, authority: bytes | None, verify: bool, where: str) -> ssl.SSLContext:
    """A client context. Without ``authority`` (PEM) the system's roots are trusted."""
    try:
        made = ssl.create_default_context(cadata=authority.decode() if authority else None)
    except (ssl.SSLError, UnicodeDecodeError) as error:
        raise Fatal(f"{where}.certificate-authority: no certificates in it: {error}") from error
    # Python 3.13 asks for extensions that many clusters' own authorities lack; Go doesn't.
    made.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if not verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made


def certificate(user: Section) -> tuple[bytes, bytes] | None:
    """The client certificate and key of a user section, both PEM; None when it has none."""
    chain, key = user.material("client-certificate"), user.material("client-key")
    if chain is None and key is None:
        return None
    if chain is None or key is None:
        missing = "client-key" if key is None else "client-certificate"
        raise Fatal(f"{user.where}.{missing} is missing: certificate and key go together")
    return chain, key


def present(made: ssl.SSLContext, pair: tuple[bytes, bytes], *, where: str) -> None:
    """Lets a context present a client certificate, given with its key, both PEM."""
    try:
        with _file(pair[0]) as chain, _file(pair[1]) as key:
            # An empty password: OpenSSL would ask the terminal for an encrypted key's.
            made.load_cert_chain(chain, key, password="")
    except (ssl.SSLError, OSError) as error:
        raise Fatal(
            f"{where}.client-certificate and client-key can't be used: {why(error)};"
            " do they belong together?"
        ) from error


@contextmanager
def _file(pem: bytes) -> Iterator[str]:
    # load_cert_chain takes names only; the root file system may be read-only, and a key has
    # no business on a disk.
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("pem")
        try:
            os.write(descriptor, pem)
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)
    else:
        with tempfile.NamedTemporaryFile() as file:
            file.write(pem)
            file.flush()
            yield file.name
