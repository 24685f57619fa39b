"""Label and field selectors, as kubectl and controllers write them."""

from __future__ import annotations

import re
from collections.abc import Callable

from reactor.sandbox.registry import Resource
from reactor.sandbox.status import bad_request
from reactor.sandbox.storage import Stored

Predicate = Callable[[Stored], bool]
_SET = re.compile(r"\s*(?P<key>[\w./-]+)\s+(?P<op>in|notin)\s*\((?P<values>[^)]*)\)\s*")
_EQUAL = re.compile(r"\s*(?P<key>[\w./-]+)\s*(?P<op>==|!=|=)\s*(?P<value>[\w.:-]*)\s*")
_EXISTS = re.compile(r"\s*(?P<no>!?)\s*(?P<key>[\w./-]+)\s*")


def selector(labels: str, fields: str, resource: Resource) -> Predicate | None:
    """The objects that both selectors choose; None chooses all. Raises StatusError (400)."""
    tests = _labels(labels) + _fields(fields, resource)
    if not tests:
        return None
    if len(tests) == 1:
        return tests[0]
    return lambda stored: all(test(stored) for test in tests)


def named(fields: str) -> str:
    """The name that a field selector pins, or the empty string."""
    for part in fields.split(","):
        key, found, value = part.partition("=")
        if found and key == "metadata.name":
            return value.removeprefix("=")
    return ""


def _labels(text: str) -> list[Predicate]:
    return [_label(part) for part in _parts(text)]


def _parts(text: str) -> list[str]:
    """Split at commas outside parentheses."""
    return [part for part in re.split(r",(?![^(]*\))", text) if part.strip()]


def _label(part: str) -> Predicate:
    if found := _SET.fullmatch(part):
        key, values = found["key"], {v.strip() for v in found["values"].split(",")}
        if found["op"] == "in":
            return lambda stored: (stored.labels or {}).get(key) in values
        return lambda stored: (stored.labels or {}).get(key) not in values
    if found := _EQUAL.fullmatch(part):
        key, value = found["key"], found["value"]
        if found["op"] == "!=":
            return lambda stored: (stored.labels or {}).get(key) != value
        return lambda stored: (stored.labels or {}).get(key) == value
    if found := _EXISTS.fullmatch(part):
        key, wanted = found["key"], not found["no"]
        return lambda stored: (key in (stored.labels or {})) is wanted
    raise bad_request(f"unable to parse requirement: found '{part}', expected: identifier")


def _fields(text: str, resource: Resource) -> list[Predicate]:
    tests: list[Predicate] = []
    for part in (part for part in text.split(",") if part):
        found = re.fullmatch(r"([^=!]+)(==|!=|=)(.*)", part)
        if not found:
            raise bad_request(
                f"invalid selector: {text!r}; can't understand {part!r}".replace("'", '"')
            )
        key, equal, value = found[1], found[2] != "!=", found[3]
        tests.append(_field(key, value, equal, resource))
    return tests


def _field(key: str, value: str, equal: bool, resource: Resource) -> Predicate:
    if key == "metadata.name":
        return lambda stored: (stored.name == value) is equal
    if key == "metadata.namespace":
        return lambda stored: (stored.namespace == value) is equal
    if key not in resource.fields:
        raise bad_request(f"field label not supported: {key}")
    return lambda stored: ((stored.fields or {}).get(key, "") == value) is equal
