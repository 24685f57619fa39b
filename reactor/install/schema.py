"""values.schema.json applied to values as Helm does: the part of JSON Schema that it uses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

KEYWORDS = frozenset(
    {
        *("type", "properties", "additionalProperties", "required", "items", "enum"),
        *("pattern", "minLength", "maxLength", "minimum", "maximum"),
    }
)
"""What `faults` knows. A test holds the chart's schema to it."""

_NAMES: dict[str, str] = {
    "object": "a map",
    "array": "a list",
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}
_KINDS: dict[str, type] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": int,
    "boolean": bool,
    "null": type(None),
}


def faults(value: object, schema: Schema, path: str = "") -> Iterator[str]:
    """What is wrong with a value, each in a sentence that begins with the path."""
    where = path or "the values"
    if not _is_one_of(value, schema):
        yield f"{where}: expected {_wanted(schema)}, not {_shown(value)}"
    elif isinstance(value, dict):
        yield from _in_map(value, schema, path)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from faults(item, schema.get("items", {}), f"{path}[{number}]")
    elif isinstance(value, str):
        if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
            yield f"{where}: {_shown(value)} is too short or too long"
        elif "pattern" in schema and not _matches(schema["pattern"], value):
            yield f"{where}: {_shown(value)} does not match {schema['pattern']}"
    elif isinstance(value, int | float) and not isinstance(value, bool):
        if value < schema.get("minimum", value):
            yield f"{where}: {value} is less than {schema['minimum']}"
        if value > schema.get("maximum", value):
            yield f"{where}: {value} is more than {schema['maximum']}"


def _in_map(value: dict[str, Any], schema: Schema, path: str) -> Iterator[str]:
    known = schema.get("properties", {})
    more = schema.get("additionalProperties", True)
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{path or 'the values'}: {name} is missing"
    for name, item in value.items():
        inner = f"{path}.{name}" if path else name
        if name in known:
            yield from faults(item, known[name], inner)
        elif more is False:
            yield f"{inner}: there is no such value{_meant(name, known)}"
        elif isinstance(more, dict):
            yield from faults(item, more, inner)


def _is_one_of(value: object, schema: Schema) -> bool:
    if "enum" in schema:
        # Not `in`: True equals 1, in Python alone.
        return any(value == one and type(value) is type(one) for one in schema["enum"])
    types = _types(schema)
    return not types or any(_is_a(value, name) for name in types)


def _is_a(value: object, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    if isinstance(value, float):
        return name == "number" or (name == "integer" and value.is_integer())
    return isinstance(value, _KINDS[name])


def _types(schema: Schema) -> list[str]:
    found = schema.get("type", [])
    return [found] if isinstance(found, str) else list(found)


def _wanted(schema: Schema) -> str:
    if "enum" in schema:
        return "one of " + ", ".join(_shown(one) for one in schema["enum"] if one is not None)
    return " or ".join(_NAMES[name] for name in _types(schema) if name != "null")


def _shown(value: object) -> str:
    if isinstance(value, dict | list):
        return "a map" if isinstance(value, dict) else "a list"
    if isinstance(value, str):
        text = value if len(value) <= 60 else value[:57] + "..."
        return f"the text {text!r}"
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return str(value)


def _matches(pattern: str, text: str) -> bool:
    # Helm's patterns are RE2: `$` is the very end there, and \\s and \\d are ASCII.
    return re.search(re.sub(r"(?<!\\)\$", r"\\Z", pattern), text, re.ASCII) is not None


def _meant(name: str, known: Mapping[str, object]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""
