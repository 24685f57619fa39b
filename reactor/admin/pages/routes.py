"""All pages."""

from __future__ import annotations

from litestar.handlers import HTTPRouteHandler
from prometheus_client import CollectorRegistry

from reactor.admin.entries import Log
from reactor.admin.pages import entry, health, timeline
from reactor.admin.pages import log as log_page
from reactor.admin.pages import splits as splits_page
from reactor.admin.pages.page import handler
from reactor.admin.pages.render import Renderer
from reactor.admin.pages.source import Source
from reactor.admin.probes import Readiness
from reactor.admin.splits import Splits


def pages(
    *,
    log: Log,
    splits: Splits,
    readiness: Readiness,
    registry: CollectorRegistry,
    secured: bool,
    source: Source | None = None,
) -> list[HTTPRouteHandler]:
    """A route each; ``secured`` when a browser has to sign in to see them."""
    renderer = Renderer(secured=secured, source=source)
    found = (
        splits_page.page(splits),
        timeline.page(log),
        entry.page(log),
        log_page.page(log),
        health.page(log=log, readiness=readiness, registry=registry),
    )
    return [handler(page, renderer) for page in found]
