"""Who may ask: a bearer token on every path but the probes and what never changes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from typing import Literal, Protocol

from reactor.admin.pages import assets, paths
from reactor.admin.problem import Refused
from reactor.errors import Retryable

OPEN_PATHS = frozenset({"/ping", "/live", "/ready", "/metrics", paths.SIGN_IN}) | assets.PATHS
PREFIX = "/smi-adaptor"
"""Before a path when the API server is asked about it. Its own role system:discovery lets every
authenticated user get ``/api/*`` and ``/openapi/*``, so a bare path would be open to them all."""
REALM = 'Bearer realm="smi-adaptor"'
_CREDENTIALS = re.compile(rb"[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9._~+/-]+=*)")

Verdict = Literal["allowed", "unauthenticated", "forbidden", "unavailable"]


class Reviewer(Protocol):
    """Asks the API server who a token is, and whether it may ``get`` a path."""

    async def may_get(self, token: str, path: str) -> Verdict:
        """Return the verdict; ``unavailable`` when it can't be had now."""
        ...


class Sessions(Protocol):
    """Knows the tokens of the browsers that signed in."""

    def token(self, headers: Iterable[tuple[bytes, bytes]]) -> str | None:
        """The token of a request's session, None without one."""
        ...


async def admit(
    reviewer: Reviewer | None,
    sessions: Sessions,
    path: str,
    headers: Sequence[tuple[bytes, bytes]],
    *,
    seconds: float,
) -> None:
    """Return when the request may go on; else raise Refused with 401, 403 or 503.

    The review may take so many ``seconds``. No token is ever part of an answer.
    """
    if reviewer is None or path in OPEN_PATHS:
        return
    given = [value for name, value in headers if name == b"authorization"]
    session = None if given else sessions.token(headers)
    if session is not None:
        await allow(reviewer, session, path, seconds=seconds)
        return
    if not given:
        raise Refused(
            401,
            f"{path} asks for a bearer token in the Authorization header.",
            headers={"WWW-Authenticate": REALM},
        )
    credentials = _CREDENTIALS.fullmatch(given[0].strip())
    if len(given) > 1 or credentials is None:
        raise Refused(
            401,
            "One Authorization header of the form 'Bearer TOKEN' is expected.",
            headers={"WWW-Authenticate": f'{REALM}, error="invalid_request"'},
        )
    await allow(reviewer, credentials[1].decode("ascii"), path, seconds=seconds)


def is_token(text: str) -> bool:
    """Whether this may stand behind `Bearer` (RFC 6750)."""
    return text.isascii() and _CREDENTIALS.fullmatch(b"Bearer " + text.encode()) is not None


async def allow(reviewer: Reviewer, token: str, path: str, *, seconds: float) -> None:
    """Return when the token's user may get the path; else raise Refused as `admit` does."""
    verdict = await _review(reviewer, token, path, seconds)
    if verdict == "unauthenticated":
        raise Refused(
            401,
            "The API server does not know this token, or it has expired.",
            headers={"WWW-Authenticate": f'{REALM}, error="invalid_token"'},
        )
    if verdict == "forbidden":
        raise Refused(
            403,
            f"This token may not get {path}: bind a ClusterRole with the nonResourceURL "
            f"{PREFIX}{path}, or {PREFIX}/*, and the verb get.",
        )
    if verdict == "unavailable":
        raise Refused(
            503,
            "The token can't be checked: the API server does not answer token reviews now, or the "
            "adaptor may not ask for them, as /ready would tell.",
            headers={"Retry-After": "5"},
        )


async def _review(reviewer: Reviewer, token: str, path: str, seconds: float) -> Verdict:
    try:
        async with asyncio.timeout(seconds):
            return await reviewer.may_get(token, PREFIX + path)
    except (Retryable, TimeoutError):
        return "unavailable"
