"""What the pages load: a style sheet, a script, an icon; never from elsewhere."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from reactor.admin.pages.paths import STATIC

_FOLDER: Final = Path(__file__).parent / "static"
TYPES: Final = {
    "icon.svg": "image/svg+xml",
    "live.js": "text/javascript",
    "pages.css": "text/css",
}
PATHS: Final = frozenset(STATIC + name for name in TYPES)


class Asset(msgspec.Struct, frozen=True):
    """A file, and what tells this version of it from others."""

    body: bytes
    version: str


@cache
def asset(name: str) -> Asset:
    """One of the files; read once."""
    body = (_FOLDER / name).read_bytes()
    return Asset(body, hashlib.sha256(body).hexdigest()[:12])


def href(name: str) -> str:
    """The address of this version."""
    return f"{STATIC}{name}?v={asset(name).version}"


def handlers() -> list[HTTPRouteHandler]:
    """A route each."""
    return [_handler(name) for name in TYPES]


def _handler(name: str) -> HTTPRouteHandler:
    @get(STATIC + name)
    async def file() -> Response[bytes]:
        return Response(
            asset(name).body,
            media_type=TYPES[name],
            headers={
                # A new version has a new address.
                "cache-control": "public, max-age=31536000, immutable",
                "cross-origin-resource-policy": "same-origin",
            },
        )

    return file
