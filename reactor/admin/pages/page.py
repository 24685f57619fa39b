"""A page as a value: where it is, and what it shows."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from reactor.admin.pages.answer import html
from reactor.admin.pages.render import Renderer
from reactor.admin.problem import unanswered
from reactor.admin.question import Parameter, read_path
from reactor.errors import ReactorError

Show = Callable[[Mapping[str, Any], bytes, int], Awaitable[Mapping[str, Any]]]
"""From the parts of the path, the query string and the time now (microseconds) to what the
template shows; ``status`` in it is the answer's, 200 without."""


class Page(msgspec.Struct, frozen=True):
    """One page: its path, its template, and what that shows. ``part`` says what of it a log
    fills, and begins the sentence that tells which.
    """

    path: str
    template: str
    show: Show
    places: tuple[Parameter, ...] = ()
    part: str = ""


def handler(
    page: Page, renderer: Renderer, *, clock: Callable[[], float] = time.time
) -> HTTPRouteHandler:
    """The page's route for Litestar; ``clock`` gives seconds since 1970."""

    path = page.path
    for place in page.places:
        path = path.replace(f"{{{place.name}}}", f"{{{place.name}:str}}")

    @get(path)
    async def shown(request: Request[Any, Any, Any]) -> Response[bytes]:
        now = int(clock() * 1_000_000)
        places = read_path(request.path_params, page.places, now=now)
        try:
            found = await page.show(places, _filled(request.scope["query_string"]), now)
        except ReactorError as error:
            raise unanswered(error) from error
        body = await renderer.page(page.template, {**found, "now": now}, part=page.part)
        return html(body, status=found.get("status", 200))

    return shown


def _filled(query: bytes) -> bytes:
    """Without the fields of a form that were left empty."""
    try:
        pairs = parse_qsl(query.decode("ascii"), errors="strict", max_num_fields=50)
    except ValueError:
        return query  # whoever reads it says what is wrong
    return urlencode(pairs).encode()
