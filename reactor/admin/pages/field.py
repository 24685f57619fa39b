"""A filter in a page's form."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

import msgspec

from reactor.admin.problem import FieldError
from reactor.admin.question import Parameter


class Field(msgspec.Struct, frozen=True):
    """What was typed, and what is wrong with it: that is shown again, for who typed it to mend."""

    name: str
    hint: str
    value: str
    choices: list[str]
    error: str | None


def field(one: Parameter, typed: Mapping[str, str], errors: Mapping[str, FieldError]) -> Field:
    """A parameter's field."""
    error = errors.get(one.name)
    return Field(
        name=one.name,
        hint=one.meaning,
        value=typed.get(one.name, ""),
        choices=list(one.schema.get("enum", ())),
        error=None if error is None else said(error),
    )


def said(error: FieldError) -> str:
    """What is wrong, and what would do."""
    return f"{error.message}; allowed: {error.allowed}"


def typed(query: bytes) -> dict[str, str]:
    """By field; nothing of a query string that can't be read."""
    try:
        return dict(parse_qsl(query.decode("ascii"), errors="strict", max_num_fields=50))
    except ValueError:
        return {}
