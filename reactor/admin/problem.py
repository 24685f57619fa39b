"""The one shape of every error: application/problem+json of RFC 9457."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

import msgspec

from reactor.audit.trouble import Crowded
from reactor.errors import ReactorError

MEDIA_TYPE = "application/problem+json"


class FieldError(msgspec.Struct, frozen=True):
    """One query parameter that can't be honoured: its name, what is wrong, what is allowed."""

    field: str
    message: str
    allowed: str


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """Body of every error. ``detail`` is a sentence for a person; ``errors`` only with a 400."""

    title: str
    status: int
    detail: str
    errors: tuple[FieldError, ...] = ()


class Refused(Exception):
    """A request that is answered with a problem and these headers."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: tuple[FieldError, ...] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.problem = Problem(HTTPStatus(status).phrase, status, detail, errors)
        self.headers = dict(headers or {})

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.problem.status

    @property
    def body(self) -> bytes:
        """The problem as JSON."""
        return msgspec.json.encode(self.problem)


def unanswered(error: ReactorError) -> Refused:
    """The refusal of a question that the log can't answer now; it says when to ask again."""
    if isinstance(error, Crowded):
        return Refused(503, f"{error}.", headers={"Retry-After": str(error.wait)})
    return Refused(503, f"The log can't be read now: {error}.", headers={"Retry-After": "5"})
