"""The sign-in: a form that takes a token, and keeps it in the browser's cookie alone."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler

from reactor.admin.access import Reviewer, allow, is_token
from reactor.admin.limits import Limits
from reactor.admin.pages import paths, plain
from reactor.admin.pages.answer import html
from reactor.admin.pages.session import LONGEST, Sessions
from reactor.admin.problem import Refused

_FORM: Final = "application/x-www-form-urlencoded"


class SignIn:
    """Two routes of one path. No answer holds what was typed."""

    def __init__(self, *, reviewer: Reviewer, sessions: Sessions, limits: Limits) -> None:
        self._reviewer = reviewer
        self._sessions = sessions
        self._limits = limits

    def handlers(self) -> list[HTTPRouteHandler]:
        """The form, and what it sends."""

        @get(paths.SIGN_IN)
        async def form(request: Request[Any, Any, Any]) -> Response[bytes]:
            return html(plain.sign_in(onward=paths.here(request.query_params.get("next", "/"))))

        @post(paths.SIGN_IN)
        async def sent(request: Request[Any, Any, Any]) -> Response[bytes]:
            return await self._sent(request)

        return [form, sent]

    async def _sent(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        _same_origin(request)
        fields = await self._fields(request)
        if "out" in fields:
            return _onward(paths.SIGN_IN, self._sessions.end())
        onward = paths.here(fields.get("next", "/"))
        token = fields.get("token", "").strip()
        try:
            if not is_token(token):
                raise Refused(400, "This is no bearer token: letters, digits and -._~+/ make one.")
            if len(token) > LONGEST:
                raise Refused(400, f"This token is longer than the {LONGEST} a cookie can hold.")
            await allow(
                self._reviewer,
                token,
                urlsplit(onward).path,
                seconds=self._limits.review_seconds,
            )
        except Refused as refused:
            page = plain.sign_in(onward=onward, message=refused.problem.detail)
            return html(page, status=refused.status, headers=refused.headers)
        return _onward(onward, self._sessions.begin(token))

    async def _fields(self, request: Request[Any, Any, Any]) -> dict[str, str]:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
            raise Refused(415, f"The sign-in takes {_FORM} only.")
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > self._limits.form:
                raise Refused(413, f"The form is longer than {self._limits.form} bytes.")
        try:
            found = parse_qs(body.decode("ascii"), errors="strict", max_num_fields=5)
        except ValueError as error:
            raise Refused(400, "The form must be percent-encoded UTF-8.") from error
        return {name: values[0] for name, values in found.items()}


def _same_origin(request: Request[Any, Any, Any]) -> None:
    """Another site may not sign anyone in, nor out."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise Refused(403, "The sign-in takes forms of this port's own pages only.")


def _onward(target: str, cookie: str) -> Response[bytes]:
    headers = {"location": target, "set-cookie": cookie}
    return html(b"", status=303, headers=headers)
