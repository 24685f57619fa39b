"""A route as Litestar serves it; a `Route` itself needs no server."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from reactor.admin.problem import unanswered
from reactor.admin.question import read_path
from reactor.admin.route import Route
from reactor.errors import ReactorError


def handler(route: Route, *, clock: Callable[[], float] = time.time) -> HTTPRouteHandler:
    """The route for Litestar; ``clock`` gives seconds since 1970 for relative times."""

    @get(_typed(route), name=route.path)
    async def answer(request: Request[Any, Any, Any]) -> Response[bytes]:
        now = int(clock() * 1_000_000)
        places = read_path(request.path_params, route.places, now=now)
        try:
            body = await route.answer(places, request.scope["query_string"], now)
        except ReactorError as error:
            raise unanswered(error) from error
        headers = {"cache-control": "no-store"}
        if route.own:
            headers["x-log-source"] = "local"
        return Response(body, media_type="application/json", headers=headers)

    return answer


def _typed(route: Route) -> str:
    path = route.path
    for place in route.places:
        path = path.replace(f"{{{place.name}}}", f"{{{place.name}:str}}")
    return path
