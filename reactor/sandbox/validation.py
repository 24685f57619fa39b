"""Custom resources against their structural schema: unknown fields pruned, faults in words.

An update is forgiven what it leaves as it was (ratcheting, Kubernetes 1.30): field by field, and
lists as a whole, since none of our definitions tells items apart by keys.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from reactor.sandbox.documents import Document, copy, encode
from reactor.sandbox.names import refused, required, shown
from reactor.sandbox.status import Cause

_PRESERVE = "x-kubernetes-preserve-unknown-fields"
_INT_OR_STRING = "x-kubernetes-int-or-string"
_TOP = ("apiVersion", "kind", "metadata")
Schema = Mapping[str, Any]


def prune(document: Document, schema: Schema | None) -> list[str]:
    """Drop nulls and the fields that the schema doesn't know, in place; the latter's paths."""
    dropped: list[str] = []
    if schema is not None:
        _prune(document, schema, "", dropped, top=True)
    return sorted(dropped)


def fill(document: Document, schema: Schema | None) -> None:
    """Set the defaults that the schema names, in place."""
    if schema is not None:
        _fill(document, schema)


def validate(document: Document, schema: Schema | None, old: Document | None = None) -> list[Cause]:
    """What the schema finds wrong with a document that replaces ``old``."""
    causes: list[Cause] = []
    if schema is not None:
        for key in schema.get("required", ()):
            if key not in document and key not in _TOP:
                causes.append(required(key))
        for key, item in schema.get("properties", {}).items():
            if key in document and key not in _TOP:
                _ratchet(document[key], item, key, causes, _part(old, key))
    return causes


def _prune(value: Any, schema: Schema, path: str, dropped: list[str], *, top: bool = False) -> None:
    if isinstance(value, list):
        items = schema.get("items")
        for index, item in enumerate(value):
            if isinstance(items, dict):
                _prune(item, items, f"{path}[{index}]", dropped)
        return
    if not isinstance(value, dict):
        return
    known = schema.get("properties", {})
    more = schema.get("additionalProperties")
    for key in list(value):
        here = f"{path}.{key}" if path else key
        if top and key in _TOP:
            continue
        item = known.get(key, more)
        if isinstance(item, dict):
            if value[key] is None and not item.get("nullable") and "default" not in item:
                del value[key]
            else:
                _prune(value[key], item, here, dropped)
        elif not (more or schema.get(_PRESERVE) or schema.get("x-kubernetes-embedded-resource")):
            del value[key]
            dropped.append(here)


def _fill(value: Any, schema: Schema) -> None:
    if isinstance(value, dict):
        for key, item in schema.get("properties", {}).items():
            if "default" in item and (
                key not in value or (value[key] is None and not item.get("nullable"))
            ):
                value[key] = copy(item["default"])
            if key in value:
                _fill(value[key], item)
        more = schema.get("additionalProperties")
        if isinstance(more, dict):
            for item in value.values():
                _fill(item, more)
    elif isinstance(value, list) and isinstance(schema.get("items"), dict):
        for item in value:
            _fill(item, schema["items"])


def _ratchet(value: Any, schema: Schema, path: str, causes: list[Cause], old: Any) -> None:
    found: list[Cause] = []
    _check(value, schema, path, found, old)
    if found and (old is None or encode(value) != encode(old)):
        causes.extend(found)


def _part(old: Any, key: str) -> Any:
    return old.get(key) if isinstance(old, dict) else None


def _check(value: Any, schema: Schema, path: str, causes: list[Cause], old: Any = None) -> None:
    if value is None:
        if not schema.get("nullable") and schema.get("type"):
            causes.append(_mistyped(path, "null", schema["type"]))
        return
    if schema.get(_INT_OR_STRING):
        if isinstance(value, bool) or not isinstance(value, int | str):
            causes.append(_mistyped(path, _type(value), "integer,string"))
        else:
            _limits(value, schema, path, causes)
        return
    wanted = schema.get("type")
    actual = _type(value)
    if wanted and actual != wanted and not (wanted == "number" and actual == "integer"):
        causes.append(_mistyped(path, actual, wanted))
        return
    if "not" in schema:
        against: list[Cause] = []
        _check(value, schema["not"], path, against)
        if not against:
            told = f'Invalid value: "": "{path}" must not validate the schema (not)'
            causes.append(Cause("FieldValueInvalid", told, "<nil>"))
    _limits(value, schema, path, causes)
    if isinstance(value, dict):
        _object(value, schema, path, causes, old)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check(item, schema.get("items", {}), f"{path}[{index}]", causes)


def _object(value: Document, schema: Schema, path: str, causes: list[Cause], old: Any) -> None:
    known = schema.get("properties", {})
    for key in schema.get("required", ()):
        if key not in value:
            causes.append(required(f"{path}.{key}"))
    more = schema.get("additionalProperties")
    for key, item in value.items():
        inner = known.get(key, more)
        if isinstance(inner, dict):
            _ratchet(item, inner, f"{path}.{key}", causes, _part(old, key))
    if "maxProperties" in schema and len(value) > schema["maxProperties"]:
        causes.append(_too_many(path, len(value), schema["maxProperties"]))


def _limits(value: Any, schema: Schema, path: str, causes: list[Cause]) -> None:
    allowed = schema.get("enum")
    if allowed is not None and encode(value) not in map(encode, allowed):  # 1 is not true
        told = ", ".join(shown(item) for item in allowed)
        causes.append(
            Cause(
                "FieldValueNotSupported",
                f"Unsupported value: {shown(value)}: supported values: {told}",
                path,
            )
        )
    if isinstance(value, int | float) and not isinstance(value, bool):
        if "minimum" in schema and value < schema["minimum"]:
            bound = f"{path} in body should be greater than or equal to {schema['minimum']}"
            causes.append(refused(path, value, bound))
        if "maximum" in schema and value > schema["maximum"]:
            bound = f"{path} in body should be less than or equal to {schema['maximum']}"
            causes.append(refused(path, value, bound))
    if isinstance(value, str):
        pattern = schema.get("pattern")
        if pattern and not re.search(pattern, value):
            causes.append(refused(path, value, f"{path} in body should match '{pattern}'"))
        if "minLength" in schema and len(value) < schema["minLength"]:
            bound = f"{path} in body should be at least {schema['minLength']} chars long"
            causes.append(refused(path, value, bound))
        if "maxLength" in schema and len(value) > schema["maxLength"]:
            told = f"Too long: may not be more than {schema['maxLength']} bytes"
            causes.append(Cause("FieldValueTooLong", told, path))
    if isinstance(value, list):
        if "minItems" in schema and len(value) < schema["minItems"]:
            bound = f"{path} in body should have at least {schema['minItems']} items"
            causes.append(refused(path, len(value), bound))
        if "maxItems" in schema and len(value) > schema["maxItems"]:
            causes.append(_too_many(path, len(value), schema["maxItems"]))


def _too_many(path: str, count: int, most: int) -> Cause:
    told = f"Too many: {count}: must have at most {most} items"
    return Cause("FieldValueTooMany", told, path)


def _mistyped(path: str, actual: str, wanted: str) -> Cause:
    return Cause(
        "FieldValueTypeInvalid",
        f'Invalid value: "{actual}": {path} in body must be of type {wanted}: "{actual}"',
        path,
    )


def _type(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"
