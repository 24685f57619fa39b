"""GET /log: the entries that pass the filters, which are in its address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import msgspec

from reactor.admin import filters, question
from reactor.admin.entries import Log
from reactor.admin.filters import FILTERS, Question
from reactor.admin.pages.page import Page
from reactor.admin.problem import Refused
from reactor.admin.question import Parameter
from reactor.audit.query import Filters
from reactor.audit.query.pages import Page as Rows

_LIVE: Final = filters.one_of("live", "Shows new entries as they are written.", ("1",))
PARAMETERS: Final = (*filters.PARAMETERS, _LIVE)
_PAGING: Final = frozenset({"order", "limit", "cursor"})
_NOT_LIVE: Final = frozenset({"cursor", "order", "until", "live"})
"""What leads away from the newest entries."""
_COMMON: Final = frozenset({"kind", "namespace", "split", "outcome", "text", "since"})


class Field(msgspec.Struct, frozen=True):
    """A filter in the form: what was typed, and what is wrong with it."""

    name: str
    hint: str
    value: str
    choices: list[str]
    error: str | None

    @property
    def common(self) -> bool:
        """Whether it is always in view."""
        return self.name in _COMMON


def page(log: Log) -> Page:
    """The page."""

    async def show(places: Mapping[str, Any], query: bytes, now: int) -> Mapping[str, Any]:
        typed = _typed(query)
        try:
            given = question.read(query, PARAMETERS, now=now)
        except Refused as refused:
            errors = {error.field: error.message for error in refused.problem.errors}
            if not errors or not errors.keys() <= {one.name for one in PARAMETERS}:
                raise
            return {**_form(typed, errors), "status": refused.status, "live": None, "rows": None}
        live = "live" in given and not _NOT_LIVE & (given.keys() - {"live"})
        found = await _read(log, given)
        asked = {name: value for name, value in typed.items() if name in _FILTERED - {"since"}}
        return {
            **_form(typed, {}),
            "rows": found.entries,
            "partial": found.partial,
            "newer": _link(typed, found.previous) if "cursor" in typed else None,
            "older": _link(typed, found.next),
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


def _form(typed: Mapping[str, str], errors: Mapping[str, str]) -> dict[str, Any]:
    now_live = {name: value for name, value in typed.items() if name not in _NOT_LIVE}
    fields = [_field(one, typed, errors) for one in FILTERS]
    return {
        "title": "Log",
        "fields": fields,
        "more": "order" in typed or any(one.value for one in fields if not one.common),
        "order": typed.get("order", "newest"),
        "errors": [(name, said) for name, said in errors.items() if name not in _FILTERED],
        "filtered": any(name in _FILTERED for name in typed),
        "go_live": "/log?" + urlencode({**now_live, "live": "1"}),
        "stand_still": "/log?" + urlencode(now_live),
        "export": "/api/v1/export?"
        + urlencode({name: value for name, value in typed.items() if name in _FILTERED}),
    }


def _field(one: Parameter, typed: Mapping[str, str], errors: Mapping[str, str]) -> Field:
    error = errors.get(one.name)
    return Field(
        name=one.name,
        hint=one.meaning,
        value=typed.get(one.name, ""),
        choices=list(one.schema.get("enum", ())),
        error=None if error is None else f"{error}; allowed: {one.allowed}",
    )


def _link(typed: Mapping[str, str], cursor: str | None) -> str | None:
    if cursor is None:
        return None
    kept = {name: value for name, value in typed.items() if name != "live"}
    return "/log?" + urlencode({**kept, "cursor": cursor})


def _typed(query: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(query.decode("ascii"), errors="strict", max_num_fields=50))
    except ValueError:
        return {}
