"""JSON text to plain objects with exact numbers, and back to one canonical text."""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from typing import Any

import msgspec

from reactor.model.meta import Document

_DEEPEST = 100  # levels of nesting that are kept of an object nobody meant well with
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)
_LONE_SURROGATE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
_LONGEST_NUMBER = 1100


def _number(text: str) -> Decimal:
    if len(text) > _LONGEST_NUMBER:
        return _beyond(text)
    try:
        return Decimal(text)
    except InvalidOperation:
        return _beyond(text)


def _beyond(text: str) -> Decimal:
    """Stand in for a literal that no API server keeps, too long or out of all bounds."""
    return Decimal("-9e999999" if text.startswith("-") else "9e999999")


def _integer(text: str) -> int | Decimal:
    return _beyond(text) if len(text) > _LONGEST_NUMBER else int(text)


def _refuse(text: str) -> None:
    raise ValueError(f"{text} is no number of JSON")


_decoder = msgspec.json.Decoder(float_hook=_number)
_encoder = msgspec.json.Encoder(order="sorted", decimal_format="number")


def parse_object(raw: bytes | msgspec.Raw) -> dict[str, Any]:
    """Decode one JSON object; numbers are int or Decimal.

    What lies deeper than 100 levels, or is no valid Unicode, is replaced, so that what one user
    wrote stops nothing else. ValueError when the text is not a JSON object.
    """
    try:
        found = _decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        found = _leniently(bytes(raw))
    if not isinstance(found, dict):
        raise ValueError(f"expected a JSON object, found {bytes(raw)[:60]!r}")
    return found


def document(obj: dict[str, Any]) -> Document:
    """Encode an object canonically: keys sorted, no managedFields, numbers exact."""
    metadata = obj.get("metadata")
    if isinstance(metadata, dict) and "managedFields" in metadata:
        kept = {key: value for key, value in metadata.items() if key != "managedFields"}
        obj = {**obj, "metadata": kept}
    try:
        body = _encoder.encode(obj)
    except UnicodeEncodeError:
        body = _encoder.encode(_valid(obj))
    return Document(digest=sha256(body).digest(), body=body)


def pruned(raw: bytes) -> bytes:
    """Replace whatever is nested deeper than 100 levels, in linear time."""
    pieces: list[bytes] = []
    depth = kept = 0
    for token in _TOKEN.finditer(raw):
        mark = token[0]
        if mark in (b"[", b"{"):
            depth += 1
            if depth == _DEEPEST + 1:
                pieces += (raw[kept : token.start()], b'"(nested too deeply)"')
        elif mark in (b"]", b"}"):
            depth -= 1
            if depth == _DEEPEST:
                kept = token.end()
    pieces.append(raw[kept:] if depth <= _DEEPEST else b"")
    return b"".join(pieces)


def _leniently(raw: bytes) -> Any:
    text = pruned(raw).decode("utf-8", "replace")
    text = _LONE_SURROGATE.sub(lambda m: "\\ufffd" if m[1] else m[0], text)
    try:
        return json.loads(
            text,
            parse_float=_number,
            parse_int=_integer,
            parse_constant=_refuse,
            strict=False,
        )
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from error


def _valid(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_valid(key): _valid(item) for key, item in value.items()}
    return [_valid(item) for item in value] if isinstance(value, list) else value
