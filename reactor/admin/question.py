"""Query parameters and parts of a path: what each allows, and how it is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from reactor.admin.problem import FieldError, Refused

Read = Callable[[str, int], Any]
"""From a value's text, and the time now in microseconds. ValueError says what is wrong."""


class Parameter(msgspec.Struct, frozen=True):
    """One parameter: its meaning, what it allows in words and as a JSON schema."""

    name: str
    meaning: str
    allowed: str
    schema: dict[str, Any]
    read: Read
    required: bool = False


def read(query: bytes, parameters: Sequence[Parameter], *, now: int) -> dict[str, Any]:
    """The values of a query string by name; Refused (400) names every field that is wrong."""
    known = {parameter.name: parameter for parameter in parameters}
    errors: list[FieldError] = []
    found: dict[str, Any] = {}
    for name, value in _pairs(query):
        parameter = known.get(name)
        if parameter is None:
            allowed = "one of " + ", ".join(known) if known else "none"
            errors.append(FieldError(name[:64], "is no parameter of this path", allowed))
        elif name in found:
            errors.append(FieldError(name, "is given more than once", parameter.allowed))
        else:
            found[name] = _value(parameter, value, now, errors)
    errors += [
        FieldError(name, "is missing", parameter.allowed)
        for name, parameter in known.items()
        if parameter.required and name not in found
    ]
    _refuse(errors)
    return found


def read_path(
    given: Mapping[str, Any], parameters: Sequence[Parameter], *, now: int
) -> dict[str, Any]:
    """The same for the parts of a path, which are all there."""
    errors: list[FieldError] = []
    found = {p.name: _value(p, str(given[p.name]), now, errors) for p in parameters}
    _refuse(errors)
    return found


def _value(parameter: Parameter, text: str, now: int, errors: list[FieldError]) -> Any:
    try:
        return parameter.read(text, now)
    except ValueError as error:
        errors.append(FieldError(parameter.name, str(error), parameter.allowed))
        return None


def _refuse(errors: Sequence[FieldError]) -> None:
    if errors:
        said = "; ".join(f"{e.field}: {e.message}, allowed: {e.allowed}" for e in errors[:3])
        raise Refused(400, f"The question can't be answered. {said}.", errors=tuple(errors[:20]))


def _pairs(query: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=50
        )
    except (UnicodeDecodeError, ValueError) as error:
        raise Refused(
            400, "The query string must be percent-encoded UTF-8 with at most 50 fields."
        ) from error


def shown(text: str) -> str:
    """A value in quotes, cut to what fits into a sentence."""
    return repr(text if len(text) <= 64 else text[:61] + "...")


def word(schema: Mapping[str, Any]) -> Read:
    """A string of a schema with ``enum`` or ``pattern``."""
    known, pattern = schema.get("enum"), schema.get("pattern")

    def take(text: str, now: int) -> str:
        if known is not None and text not in known:
            raise ValueError(f"{shown(text)} is unknown")
        if pattern is not None and not re.fullmatch(pattern, text, re.ASCII):
            raise ValueError(f"{shown(text)} does not match")
        return text

    return take


def number(schema: Mapping[str, Any]) -> Read:
    """A whole number of a schema with ``minimum`` and ``maximum``."""
    least, most = schema["minimum"], schema["maximum"]

    def take(text: str, now: int) -> int:
        if not re.fullmatch(r"[0-9]{1,20}", text, re.ASCII) or not least <= int(text) <= most:
            raise ValueError(f"{shown(text)} is out of bounds")
        return int(text)

    return take
