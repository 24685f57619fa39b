"""Who speaks: static bearer tokens, and impersonation by those who may."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

import msgspec

from reactor.sandbox.status import unauthorized

ADMINS = "system:masters"


class User(msgspec.Struct, frozen=True):
    """A name with its groups, as authorization sees it."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""


ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))


class Tokens:
    """Bearer tokens and whom they stand for."""

    def __init__(self) -> None:
        self._users: dict[str, User] = {}

    def issue(self, name: str, groups: Iterable[str] = (), *, token: str = "") -> str:
        """Make a token for a user, and return it."""
        token = token or secrets.token_urlsafe(24)
        self._users[token] = User(name, (*groups, "system:authenticated"), uid=name)
        return token

    def revoke(self, token: str) -> None:
        """Answer this token with 401 from now on."""
        self._users.pop(token, None)

    def find(self, token: str) -> User | None:
        return self._users.get(token)

    def of_header(self, authorization: str) -> User:
        """The user of an Authorization header. Raises StatusError (401)."""
        if not authorization:
            return ANONYMOUS
        scheme, _, token = authorization.partition(" ")
        user = self.find(token.strip()) if scheme.lower() == "bearer" else None
        if user is None:
            raise unauthorized()
        return user
