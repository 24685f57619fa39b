"""The application: routes, and one shape for every error."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from litestar import Litestar, Request, Response, get
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp
from prometheus_client import CollectorRegistry

from reactor.admin import entries, openapi, proof, stories
from reactor.admin.access import Reviewer
from reactor.admin.entries import Log
from reactor.admin.export import Exports
from reactor.admin.guard import Guard
from reactor.admin.limits import Limits
from reactor.admin.pages import answer, assets, plain
from reactor.admin.pages.routes import pages
from reactor.admin.pages.session import Sessions
from reactor.admin.pages.signin import SignIn
from reactor.admin.pages.source import Source
from reactor.admin.probes import Readiness, probes
from reactor.admin.problem import MEDIA_TYPE, Refused
from reactor.admin.proof import Proofs
from reactor.admin.route import Route
from reactor.admin.served import handler
from reactor.admin.splits import Splits
from reactor.admin.splits import routes as split_routes
from reactor.admin.tail import Tails
from reactor.audit.feed import Feed

_log = logging.getLogger(__name__)


def build(
    *,
    readiness: Readiness,
    registry: CollectorRegistry,
    log: Log,
    feed: Feed,
    splits: Splits,
    reviewer: Reviewer | None,
    limits: Limits,
    source: Source | None = None,
) -> ASGIApp:
    """Return the guarded application; ``reviewer`` None leaves every path open. ``source`` says
    which log answers, where there is more than one.
    """
    sessions = Sessions()
    door = None
    if reviewer is not None:
        door = SignIn(reviewer=reviewer, sessions=sessions, limits=limits)
    application = routes(
        readiness=readiness,
        registry=registry,
        log=log,
        feed=feed,
        splits=splits,
        door=door,
        source=source,
    )
    return Guard(application, reviewer=reviewer, sessions=sessions, limits=limits)


def routes(
    *,
    readiness: Readiness,
    registry: CollectorRegistry,
    log: Log,
    feed: Feed,
    splits: Splits,
    door: SignIn | None,
    source: Source | None = None,
) -> Litestar:
    """Return the application without its guard; ``door`` None: nobody is asked for a token."""
    found = paths(log, splits)
    return Litestar(
        route_handlers=[
            *probes(readiness=readiness, registry=registry),
            *map(handler, found),
            Tails(feed=feed).handler(),
            Exports(log=log).handler(),
            Proofs(log=log).handler(),
            _document(openapi.document(found, secured=door is not None)),
            *pages(
                log=log,
                splits=splits,
                readiness=readiness,
                registry=registry,
                secured=door is not None,
                source=source,
            ),
            *assets.handlers(),
            *(door.handlers() if door is not None else ()),
        ],
        exception_handlers={Exception: _answer},
        after_request=_telling(source or _own),
        # Its own document can't say what these routes refuse, and its logging starts a thread.
        openapi_config=None,
        logging_config=None,
        debug=False,
    )


def _own() -> str:
    """Without an archive there is no other log."""
    return "local"


def _telling(source: Source) -> Callable[[Response[Any]], Response[Any]]:
    def tell(response: Response[Any]) -> Response[Any]:
        # What never asks the archive says so itself.
        response.headers.setdefault("x-log-source", source())
        return response

    return tell


def paths(log: Log, splits: Splits) -> tuple[Route, ...]:
    """What answers in JSON under /api/v1."""
    return (
        *entries.routes(log),
        *split_routes(splits),
        *stories.routes(log),
        *proof.routes(log),
    )


def _document(body: bytes) -> HTTPRouteHandler:
    @get("/openapi.json")
    async def document() -> Response[bytes]:
        return Response(body, media_type="application/json")

    return document


def _answer(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    refused = _refusal(request, error)
    if answer.wanted(request.scope["path"], request.scope["headers"]):
        page = plain.problem(refused)
        return answer.html(page, status=refused.status, headers=refused.headers)
    return Response(
        refused.body,
        status_code=refused.status,
        media_type=MEDIA_TYPE,
        headers=refused.headers,
    )


def _refusal(request: Request[Any, Any, Any], error: Exception) -> Refused:
    path = request.scope["path"]
    if isinstance(error, Refused):
        return error
    if isinstance(error, HTTPException):
        if error.status_code == 404:
            return Refused(404, f"There is no {path[:200]}; /openapi.json lists the paths.")
        if error.status_code < 500:
            return Refused(error.status_code, "The request can't be understood.")
    _log.error("admin request failed", exc_info=error, extra={"path": path[:200]})
    return Refused(500, "This is a fault of the program; its log says more.")
