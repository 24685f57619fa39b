"""GET /: every split with its weights, and what is not in sync."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, get_args
from urllib.parse import urlencode

import msgspec

from reactor.admin import question
from reactor.admin.pages.bars import Bar, bars
from reactor.admin.pages.field import Field, field, typed
from reactor.admin.pages.page import Page
from reactor.admin.problem import FieldError, Refused
from reactor.admin.splits import PARAMETERS, Splits, asked
from reactor.handlers.overview import SplitState
from reactor.translate.state import State

SAID: Mapping[State, str] = {
    "in-sync": "in sync",
    "out-of-sync": "out of sync",
    "invalid": "invalid",
    "shadowed": "shadowed",
    "empty": "empty",
    "skipped": "skipped",
}


class Pair(msgspec.Struct, frozen=True):
    """A backend's weight as its split wants it, and as the profile has it."""

    desired: Bar
    applied: Bar

    @property
    def differs(self) -> bool:
        """Whether the profile has another."""
        return self.desired.text != self.applied.text


class Shown(msgspec.Struct, frozen=True):
    """A split on the page."""

    state: SplitState
    said: str
    pairs: list[Pair]


def page(splits: Splits) -> Page:
    """The page."""

    async def show(places: Mapping[str, Any], query: bytes, now: int) -> Mapping[str, Any]:
        try:
            given = question.read(query, PARAMETERS, now=now)
        except Refused as refused:
            errors = {error.field: error for error in refused.problem.errors}
            if not errors or not errors.keys() <= _FILTERS:
                raise
            form = _form(typed(query), errors)
            return {**form, "status": refused.status, "splits": None, "first": None, "next": None}
        found, rest = asked(splits, given)
        kept = {name: value for name, value in given.items() if name != "cursor"}
        return {
            **_form(typed(query), {}),
            "splits": [_shown(one) for one in found],
            "amiss": sum(one.state != "in-sync" for one in found),
            "filtered": bool(_FILTERS & given.keys()),
            "first": "/?" + urlencode(kept) if "cursor" in given else None,
            "next": None if rest is None else "/?" + urlencode({**kept, "cursor": "/".join(rest)}),
        }

    part = "The list is this adaptor's own state; the history of each split comes"
    return Page("/", "splits.html", show, part=part)


_FILTERS: Final = frozenset({"namespace", "state"})


def _form(typed: Mapping[str, str], errors: Mapping[str, FieldError]) -> dict[str, Any]:
    fields: dict[str, Field] = {
        one.name: field(one, typed, errors) for one in PARAMETERS if one.name in _FILTERS
    }
    return {
        "title": "Splits",
        "fields": fields,
        "states": [(state, SAID[state]) for state in get_args(State)],
    }


def _shown(one: SplitState) -> Shown:
    desired = bars((leaf.service, leaf.desired) for leaf in one.leaves)
    applied = bars((leaf.service, leaf.applied) for leaf in one.leaves)
    return Shown(one, SAID[one.state], [Pair(*pair) for pair in zip(desired, applied, strict=True)])
