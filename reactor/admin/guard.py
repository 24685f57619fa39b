"""What every request passes before it is routed: limits, access, and a last resort."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from email.utils import formatdate
from typing import cast

from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from reactor.admin.access import Reviewer, Sessions, admit
from reactor.admin.head import Head
from reactor.admin.limits import Limits
from reactor.admin.pages import answer, paths, plain
from reactor.admin.problem import MEDIA_TYPE, Refused

_METHODS = ("GET", "HEAD")
_log = logging.getLogger(__name__)


class Guard:
    """An ASGI application around another.

    No route but the sign-in takes a body: a request that brings one is answered with its body
    unread, and its connection closed.
    """

    def __init__(
        self, app: ASGIApp, *, reviewer: Reviewer | None, sessions: Sessions, limits: Limits
    ) -> None:
        self._app = app
        self._reviewer = reviewer
        self._sessions = sessions
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        request = cast(HTTPScope, scope)  # the port speaks nothing else
        headers = tuple(request["headers"])
        unread = _announced(headers)
        started = False

        async def dated(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                more = [(b"date", formatdate(time.time(), usegmt=True).encode())]
                more.append((b"x-content-type-options", b"nosniff"))
                if unread:
                    more.append((b"connection", b"close"))
                message["headers"] = [*message["headers"], *more]
            elif message["type"] == "http.response.body" and message["more_body"]:
                request["state"]["go_on"]()
            await send(message)

        try:
            target = len(request["raw_path"]) + 1 + len(request["query_string"])
            if target > self._limits.url:
                raise Refused(414, f"The URL is longer than {self._limits.url} bytes.")
            form = self._reviewer is not None and request["path"] == paths.SIGN_IN
            longest = self._limits.form if form else self._limits.body
            if unread > longest:
                raise Refused(413, f"The body is longer than {longest} bytes.")
            await admit(
                self._reviewer,
                self._sessions,
                request["path"],
                headers,
                seconds=self._limits.review_seconds,
            )
            methods = (*_METHODS, "POST") if form else _METHODS
            if request["method"] not in methods:
                raise Refused(
                    405,
                    f"{request['path'][:200]} answers {' and '.join(methods)} only.",
                    headers={"Allow": ", ".join(methods)},
                )
            if request["method"] == "HEAD":
                head = Head(request, dated)
                await self._app(head.scope, head.receive, head.send)
            else:
                await self._app(request, receive, dated)
        except Refused as refused:
            await _refuse(request, refused, dated)
        except Exception:
            # The cause of a failure after the first byte can only be said here.
            _log.exception("admin request failed")
            if not started:
                fault = Refused(500, "This is a fault of the program; its log says more.")
                await _refuse(request, fault, dated)


async def _refuse(request: HTTPScope, refused: Refused, send: Send) -> None:
    body, headers = refused.body, {"content-type": MEDIA_TYPE}
    if answer.wanted(request["path"], request["headers"]):
        body, headers = _page(request, refused), {"content-type": answer.MEDIA_TYPE}
        headers.update(answer.HEADERS)
    headers.update({"content-length": str(len(body)), **refused.headers})
    await send(
        {
            "type": "http.response.start",
            "status": refused.status,
            "headers": [(k.lower().encode(), v.encode("latin-1")) for k, v in headers.items()],
        }
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _page(request: HTTPScope, refused: Refused) -> bytes:
    """What a browser is shown: who has no session yet may begin one right there."""
    if refused.status != 401:
        return plain.problem(refused)
    target = request["raw_path"] + (b"?" + request["query_string"]).removesuffix(b"?")
    known = any(name in (b"authorization", b"cookie") for name, _ in request["headers"])
    return plain.sign_in(
        onward=paths.here(target.decode("latin-1")),
        message="The session has ended: sign in again." if known else "",
    )


def _announced(headers: Iterable[tuple[bytes, bytes]]) -> int:
    """Return the length of the body that a head announces; 1 when it is only said to come."""
    length = 0
    for name, value in headers:
        if name == b"content-length":
            length = int(value)
        elif name == b"transfer-encoding":
            length = length or 1
    return length
