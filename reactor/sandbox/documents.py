"""JSON documents as the API server keeps them: decoded, normalised, encoded."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from reactor.sandbox import numbers

Document = dict[str, Any]

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder(order="deterministic").encode
# A float that msgspec writes with an exponent; Go spells it differently (1e+21, 1e-7).
_EXPONENT = re.compile(rb"[:,\[]-?[0-9.]+e")


def decode(data: bytes | str) -> Any:
    """Parse JSON with numbers as Go's decoder keeps them. Raises ValueError."""
    try:
        return numbers.normalise(_decode(data))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(str(error)) from error


def encode(value: Any) -> bytes:
    """Keys sorted, no spaces, floats in Go's spelling."""
    data = _encode(value)
    if _EXPONENT.search(data):
        data = _encode(numbers.spelled(value))
    return data


def copy(value: Any) -> Any:
    """A deep copy of a JSON value."""
    if isinstance(value, dict):
        return {key: copy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [copy(item) for item in value]
    return value


def dig(document: Any, *path: str) -> Any:
    """The value at a path of keys, or None when any step is absent."""
    for key in path:
        if not isinstance(document, dict):
            return None
        document = document.get(key)
    return document
