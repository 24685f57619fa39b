"""JSON numbers as the API server normalises them.

It decodes a literal to int64 when it is one, else to float64 (sigs.k8s.io/json), writes floats as
Go's encoding/json does, and reads them back from etcd: 500.0 and 5e2 become 500, 0.5 stays.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import msgspec

_LOWEST, _HIGHEST = -(2**63), 2**63 - 1


def normalise(value: Any) -> Any:
    """Return `value` with every number in it as it would be after a round through etcd.

    Raises ValueError for one that is too large for a float64.
    """
    kind = type(value)
    if kind is dict:
        for key, item in value.items():
            inner = type(item)
            if inner is not str and inner is not bool and item is not None:
                value[key] = normalise(item)
        return value
    if kind is list:
        for index, item in enumerate(value):
            if type(item) is not str:
                value[index] = normalise(item)
        return value
    if kind is int:
        return value if _LOWEST <= value <= _HIGHEST else _settle(_float(value))
    if kind is float:
        return _settle(value)
    return value


def text(value: float) -> str:
    """Spell a float64 as Go's encoding/json does."""
    size = abs(value)
    if value == 0:
        return "-0" if math.copysign(1.0, value) < 0 else "0"
    if size < 1e-6 or size >= 1e21:
        mantissa, _, exponent = repr(value).partition("e")
        if not exponent:
            sign, digits, shift = Decimal(repr(value)).as_tuple()
            figures = "".join(map(str, digits)).rstrip("0") or "0"
            exponent = str(int(shift) + len(digits) - 1)
            mantissa = ("-" if sign else "") + figures[0]
            if len(figures) > 1:
                mantissa += "." + figures[1:]
        power = int(exponent)
        return f"{mantissa.removesuffix('.0')}e{'+' if power >= 0 else '-'}{abs(power)}"
    plain = format(Decimal(repr(value)), "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def spelled(value: Any) -> Any:
    """A copy of `value` whose floats encode in Go's spelling."""
    if isinstance(value, dict):
        return {key: spelled(item) for key, item in value.items()}
    if isinstance(value, list):
        return [spelled(item) for item in value]
    return msgspec.Raw(text(value).encode()) if isinstance(value, float) else value


def _float(value: int) -> float:
    try:
        return float(value)
    except OverflowError as error:
        raise ValueError(
            f"json: cannot unmarshal number {value} into Go value of type float64"
        ) from error


def _settle(value: float) -> int | float:
    written = text(value)
    if written.lstrip("-").isdigit():
        whole = int(written)
        if _LOWEST <= whole <= _HIGHEST:
            return whole
    return value
