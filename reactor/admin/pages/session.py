"""A browser's session: its token, sealed into a cookie."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NAME: Final = "smi-adaptor"
LONGEST: Final = 2800
"""Characters of a token whose cookie every browser keeps."""
_NONCE: Final = 12
_SCOPE: Final = "Path=/; HttpOnly; SameSite=Strict"


class Sessions:
    """Cookies that only this process can read, since it alone has the key.

    A browser sends a cookie for 127.0.0.1 to whatever listens on another port there: what it
    gets is no token.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def begin(self, token: str) -> str:
        """The Set-Cookie header of a session that lasts as long as the browser's."""
        nonce = secrets.token_bytes(_NONCE)
        sealed = nonce + self._cipher().encrypt(nonce, token.encode(), None)
        return f"{NAME}={base64.urlsafe_b64encode(sealed).decode()}; {_SCOPE}"

    def end(self) -> str:
        """The Set-Cookie header that ends it."""
        return f"{NAME}=; Max-Age=0; {_SCOPE}"

    def token(self, headers: Iterable[tuple[bytes, bytes]]) -> str | None:
        """The token of a request's session; None without one that was begun here."""
        for name, value in headers:
            if name == b"cookie" and (found := self._opened(value.decode("latin-1"))):
                return found
        return None

    def _opened(self, header: str) -> str | None:
        for part in header.split(";"):
            name, _, value = part.strip().partition("=")
            if name == NAME and (token := self._unsealed(value)):
                return token
        return None

    def _unsealed(self, value: str) -> str | None:
        from cryptography.exceptions import InvalidTag

        try:
            sealed = base64.b64decode(value, b"-_", validate=True)
            return self._cipher().decrypt(sealed[:_NONCE], sealed[_NONCE:], None).decode()
        except (ValueError, InvalidTag):  # of another process, or nobody's
            return None

    def _cipher(self) -> AESGCM:
        # Only whoever signs in pays for it: 10 ms, once.
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return AESGCM(self._key)
