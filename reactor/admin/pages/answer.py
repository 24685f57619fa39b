"""HTML as an answer: what every page tells the browser."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from litestar import Response

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS: Final[Mapping[str, str]] = {
    "content-security-policy": POLICY,
    "cache-control": "no-store",
    # With no-referrer a form would say that it comes from nowhere.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
MEDIA_TYPE: Final = "text/html; charset=utf-8"


def html(
    body: bytes, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response[bytes]:
    """A page."""
    return Response(
        body,
        status_code=status,
        media_type="text/html",  # Litestar adds the charset
        headers={**HEADERS, **(headers or {})},
    )


def wanted(path: str, headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a browser asks for a page: others get their errors as JSON."""
    if path.startswith(("/api/", "/openapi.json")):
        return False
    return any(name == b"accept" and b"text/html" in value for name, value in headers)
