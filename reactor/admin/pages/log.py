"""GET /log: the entries that pass the filters, which are in its address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from reactor.admin import filters, question
from reactor.admin.entries import Log
from reactor.admin.filters import FILTERS, Question
from reactor.admin.pages.field import field, said, typed
from reactor.admin.pages.page import Page
from reactor.admin.problem import FieldError, Refused
from reactor.audit.query import Filters
from reactor.audit.query.pages import Page as Rows

_LIVE: Final = filters.one_of("live", "Shows new entries as they are written.", ("1",))
PARAMETERS: Final = (*filters.PARAMETERS, _LIVE)
_PAGING: Final = frozenset({"order", "limit", "cursor"})
_NOT_LIVE: Final = frozenset({"cursor", "order", "until", "live"})
"""What leads away from the newest entries."""
_COMMON: Final = frozenset({"kind", "namespace", "split", "outcome", "text", "since"})


def page(log: Log) -> Page:
    """The page."""

    async def show(places: Mapping[str, Any], query: bytes, now: int) -> Mapping[str, Any]:
        filled = typed(query)
        try:
            given = question.read(query, PARAMETERS, now=now)
        except Refused as refused:
            errors = {error.field: error for error in refused.problem.errors}
            if not errors or not errors.keys() <= {one.name for one in PARAMETERS}:
                raise
            return {**_form(filled, errors), "status": refused.status, "live": None, "rows": None}
        live = "live" in given and not _NOT_LIVE & (given.keys() - {"live"})
        found = await _read(log, given)
        asked = {name: value for name, value in filled.items() if name in _FILTERED - {"since"}}
        return {
            **_form(filled, {}),
            "rows": found.entries,
            "partial": found.partial,
            "newer": _link(filled, found.previous) if "cursor" in filled else None,
            "older": _link(filled, found.next),
            "live": f"/api/v1/tail?{urlencode(asked)}" if live else None,
        }

    return Page("/log", "log.html", show)


_FILTERED: Final = frozenset(one.name for one in FILTERS)


async def _read(log: Log, given: Mapping[str, Any]) -> Rows:
    wanted = {name: value for name, value in given.items() if name in _FILTERED}
    paging = {name: value for name, value in given.items() if name in _PAGING}
    asked = Question(Filters(**wanted), **paging)
    return await log.entries(
        asked.filters, limit=asked.limit, order=asked.order, cursor=asked.cursor
    )


def _form(filled: Mapping[str, str], errors: Mapping[str, FieldError]) -> dict[str, Any]:
    now_live = {name: value for name, value in filled.items() if name not in _NOT_LIVE}
    fields = [field(one, filled, errors) for one in FILTERS]
    others = [one for one in fields if one.name not in _COMMON]
    return {
        "title": "Log",
        "common": [one for one in fields if one.name in _COMMON],
        "others": others,
        "more": "order" in filled or any(one.value for one in others),
        "order": filled.get("order", "newest"),
        "errors": [(name, said(one)) for name, one in errors.items() if name not in _FILTERED],
        "filtered": any(name in _FILTERED for name in filled),
        "go_live": "/log?" + urlencode({**now_live, "live": "1"}),
        "stand_still": "/log?" + urlencode(now_live),
        "export": "/api/v1/export?"
        + urlencode({name: value for name, value in filled.items() if name in _FILTERED}),
    }


def _link(filled: Mapping[str, str], cursor: str | None) -> str | None:
    if cursor is None:
        return None
    kept = {name: value for name, value in filled.items() if name != "live"}
    return "/log?" + urlencode({**kept, "cursor": cursor})
