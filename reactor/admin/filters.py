"""The query parameters of the entries: what each allows, and how it is read."""

from __future__ import annotations

import re
from typing import Any, get_args
from urllib.parse import parse_qsl

import msgspec

from reactor.admin import moment
from reactor.admin.problem import FieldError, Refused
from reactor.audit.entry import Kind
from reactor.audit.query import Filters
from reactor.events import Outcome

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000

KINDS: tuple[str, ...] = get_args(Kind)
OUTCOMES: tuple[str, ...] = get_args(Outcome)
NAME = r"^[!-~]{1,253}$"
LIMIT = r"^0*([1-9][0-9]{0,2}|1000)$"
CURSOR = r"^v1\.[0-9]{1,18}$"


class Question(msgspec.Struct, frozen=True):
    """What is asked for: rows that pass the filters, at most so many, from a cursor on."""

    filters: Filters = Filters()
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None


class Parameter(msgspec.Struct, frozen=True):
    """One query parameter: its meaning, what it allows in words and as a JSON schema."""

    meaning: str
    allowed: str
    schema: dict[str, Any]


_A_NAME = "1 to 253 visible ASCII characters"
_A_TIME: dict[str, Any] = {
    "anyOf": [
        {"type": "string", "format": "date-time"},
        {"type": "string", "pattern": moment.RELATIVE},
    ]
}

PARAMETERS = {
    "kind": Parameter(
        "What happened.", "one of " + ", ".join(KINDS), {"type": "string", "enum": list(KINDS)}
    ),
    "namespace": Parameter("Namespace.", _A_NAME, {"type": "string", "pattern": NAME}),
    "split": Parameter("Name of a TrafficSplit.", _A_NAME, {"type": "string", "pattern": NAME}),
    "service": Parameter("Name of an apex Service.", _A_NAME, {"type": "string", "pattern": NAME}),
    "outcome": Parameter(
        "How a reconciliation ended.",
        "one of " + ", ".join(OUTCOMES),
        {"type": "string", "enum": list(OUTCOMES)},
    ),
    "since": Parameter("At this time or later.", moment.ALLOWED, _A_TIME),
    "until": Parameter("Before this time.", moment.ALLOWED, _A_TIME),
    "limit": Parameter(
        "How many entries at most; a page of large entries may hold fewer.",
        f"a whole number from 1 to {MAX_LIMIT}",
        {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
    ),
    "cursor": Parameter(
        "Where to go on: `next` of the page before.",
        "the value of `next` in an earlier answer",
        {"type": "string", "pattern": CURSOR},
    ),
}


def read(query: bytes, *, now: int) -> Question:
    """Return the question of a query string; Refused (400) names every field that is wrong."""
    errors: list[FieldError] = []
    found: dict[str, Any] = {}
    for name, value in _pairs(query):
        parameter = PARAMETERS.get(name)
        if parameter is None:
            allowed = "one of " + ", ".join(PARAMETERS)
            errors.append(FieldError(name[:64], "is no parameter of this path", allowed))
        elif name in found:
            errors.append(FieldError(name, "is given more than once", parameter.allowed))
        else:
            try:
                found[name] = _value(name, value, parameter, now)
            except ValueError as error:
                found[name] = None
                errors.append(FieldError(name, str(error), parameter.allowed))
    if errors:
        said = "; ".join(f"{e.field}: {e.message}, allowed: {e.allowed}" for e in errors[:3])
        raise Refused(400, f"The question can't be answered. {said}.", errors=tuple(errors[:20]))
    limit, cursor = found.pop("limit", DEFAULT_LIMIT), found.pop("cursor", None)
    return Question(Filters(**found), limit, cursor)


def _pairs(query: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=50
        )
    except (UnicodeDecodeError, ValueError) as error:
        raise Refused(
            400, "The query string must be percent-encoded UTF-8 with at most 50 fields."
        ) from error


def _value(name: str, text: str, parameter: Parameter, now: int) -> str | int:
    shown = repr(text if len(text) <= 64 else text[:61] + "...")
    schema = parameter.schema
    if name in {"since", "until"}:
        return moment.parse(text, now=now)
    if name == "limit":
        if not re.fullmatch(LIMIT, text, re.ASCII):
            raise ValueError(f"{shown} is out of bounds")
        return int(text)
    if "enum" in schema and text not in schema["enum"]:
        raise ValueError(f"{shown} is unknown")
    if "pattern" in schema and not re.fullmatch(schema["pattern"], text, re.ASCII):
        raise ValueError(f"{shown} does not match")
    return text
