"""Kubernetes quantities: k8s.io/apimachinery/pkg/api/resource, exact and canonical."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Literal

import msgspec

Format = Literal["DecimalSI", "BinarySI", "DecimalExponent"]

NANOS = 10**9
_LONGEST = 1024  # characters; the bounds keep the integers of a hostile text small
_HIGHEST = 1024  # decimal exponent
_LARGEST = 2**63 - 1
# Possessive throughout: a text that fails at its end is not tried again in other divisions.
_GRAMMAR = re.compile(r"([+-]?+)(0*+)([0-9]*+)(?:\.([0-9]*+))?+([eEinumkKMGTP]*+[+-]?+[0-9]*+)")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL_SUFFIXES = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_BINARY_SUFFIXES = {exponent: suffix for suffix, exponent in _BINARY.items()}
_FAST_DIGITS = 18  # what surely fits an int64; Go keeps the spelling of such texts
_EXPONENT = re.compile(r"[eE][+-]?[0-9]+")


class Quantity(msgspec.Struct, frozen=True, gc=False):
    """A parsed quantity: exact value in nano-units, and Go's canonical spelling.

    Compare by ``nanos``; ``text`` is what ``resource.Quantity.String()`` prints. ``format`` is
    the family of suffixes that a sum with this quantity is spelled in.
    """

    nanos: int
    text: str
    format: Format = "DecimalSI"


@lru_cache(maxsize=4096)
def parse(text: str) -> Quantity:
    """Read a text as ``resource.ParseQuantity`` does; ValueError with one sentence if it isn't one.

    Unlike Go it refuses texts of more than 1024 characters and values of 10^1024 and more.
    """
    if len(text) > _LONGEST:
        raise ValueError(f"a quantity has at most {_LONGEST} characters, not {len(text)}")
    match = _GRAMMAR.fullmatch(text) if text else None
    if match is None:
        raise ValueError(f"{shown(text)} is not a Kubernetes quantity such as 500, 0.5 or 500m")
    sign, zeros, figures, decimals, suffix = match.groups(default="")
    exponent, form = _interpret(text, suffix)
    written = bool(zeros or figures or decimals)
    digits = (figures or "0") + decimals
    value = int(digits)
    negative = sign == "-"
    if form == "BinarySI":
        return _binary(text, value, figures or "0", decimals, exponent, negative, written)
    scale = exponent - len(decimals)
    if scale < -9 or len(digits) > _FAST_DIGITS:
        if not written and scale < -9:
            raise ValueError(f"{shown(text)} has a suffix but no number")
        kept = False
    else:
        kept = scale % 3 == 0 and not digits.endswith("000") and digits[0] != "0"
    if value == 0:
        return Quantity(0, "0", form)
    if scale > _HIGHEST:
        raise ValueError(f"{shown(text)} is larger than any quantity this program reads")
    nanos = _at_nano(value, scale + 9)
    if kept:
        spelling = text
    elif scale < -9:
        spelling = _spell_decimal(f"{'-' if negative else ''}{nanos}", -9, form)
    else:
        spelling = _spell_decimal(f"{'-' if negative else ''}{value}", scale, form)
    return Quantity(-nanos if negative else nanos, spelling, form)


def from_json(value: object) -> Quantity:
    """Read a JSON value (int, Decimal or str): numbers as the API server would have stored them.

    ValueError for everything else, bool and None included.
    """
    kind = type(value)
    if kind is str:
        return parse(value.strip())  # type: ignore[attr-defined]  # `kind` says that it is a str
    if kind is int:
        if -(2**63) <= value < 2**63:  # type: ignore[operator]  # `kind` says that it is an int
            return parse(str(value))
        return parse(_number(Decimal(value)))  # type: ignore[arg-type]  # likewise
    if isinstance(value, Decimal):
        return parse(_number(value))
    raise ValueError(f"{described(value)} is not a number or a quantity")


def from_nanos(nanos: int, form: Format = "DecimalSI") -> Quantity:
    """Spell a value of nano-units canonically."""
    return Quantity(nanos, _spell(nanos, form), form)


def total(quantities: Sequence[Quantity]) -> Quantity:
    """Sum one or more; spelled in the format of the first that is not zero, as Go does."""
    if len(quantities) == 1:
        return quantities[0]
    form = next((one.format for one in quantities if one.nanos), quantities[0].format)
    return from_nanos(sum(one.nanos for one in quantities), form)


def shown(text: str) -> str:
    """Quote a text for a message, shortened."""
    return ascii(text) if len(text) <= 60 else f"{text[:60]!a}... ({len(text)} characters)"


def described(value: object) -> str:
    """Name a JSON value for a message, shortened."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"the text {shown(value)}"
    if isinstance(value, int):
        return f"the number {value}" if -(10**18) < value < 10**18 else "a huge number"
    if isinstance(value, Decimal):
        return f"the number {str(value)[:40]}"
    if isinstance(value, dict):
        return "an object"
    return "a list" if isinstance(value, list) else f"a {type(value).__name__}"


def _interpret(text: str, suffix: str) -> tuple[int, Format]:
    found = _DECIMAL.get(suffix)
    if found is not None:
        return found, "DecimalSI"
    found = _BINARY.get(suffix)
    if found is not None:
        return found, "BinarySI"
    if _EXPONENT.fullmatch(suffix):
        exponent = int(suffix[1:])
        if -(2**31) <= exponent < 2**31:
            return exponent, "DecimalExponent"
    raise ValueError(f"{shown(text)} has no suffix of a Kubernetes quantity (m, k, Mi, e3, ...)")


def _binary(
    text: str,
    value: int,
    figures: str,
    decimals: str,
    exponent: int,
    negative: bool,
    written: bool,
) -> Quantity:
    kept = False
    if decimals or 15 - len(figures) - int(exponent * 3 / 10) - 1 < 0:
        if not written:
            raise ValueError(f"{shown(text)} has a suffix but no number")
    else:
        kept = value & 7 != 0
    size = value * 2**exponent * NANOS
    nanos = -(-size // 10 ** len(decimals))
    form: Format = "BinarySI"
    if not kept:
        nanos = min(nanos, _LARGEST * NANOS)
        if 0 < nanos < NANOS:
            form = "DecimalSI"
    if nanos == 0:
        return Quantity(0, "0", form)
    if negative:
        nanos = -nanos
    return Quantity(nanos, text if kept else _spell(nanos, form), form)


def _at_nano(value: int, power: int) -> int:
    """``value`` * 10^``power``, fractions rounded up."""
    if power >= 0:
        return int(value * 10**power)
    if power < -2 * _LONGEST:
        return 1
    return int(-(-value // 10**-power))


def _spell(nanos: int, form: Format) -> str:
    if form == "BinarySI" and abs(nanos) >= 1024 * NANOS and nanos % NANOS == 0:
        amount, exponent = nanos // NANOS, 0
        while amount % 1024 == 0:
            amount //= 1024
            exponent += 10
        return f"{amount}{_BINARY_SUFFIXES.get(exponent, '')}"
    return _spell_decimal(str(nanos), -9, form)


def _spell_decimal(digits: str, scale: int, form: Format) -> str:
    """Spell ``digits`` x 10^``scale`` with the largest exponent that is a multiple of 3."""
    bare = digits.rstrip("0")
    if not bare:
        return "0"
    exponent = scale + len(digits) - len(bare)
    zeros = exponent % 3
    amount, exponent = bare + "0" * zeros, exponent - zeros
    if form == "DecimalExponent":
        return f"{amount}e{exponent}" if exponent else amount
    # Go prints no suffix where it has none (10^21 and more).
    return f"{amount}{_DECIMAL_SUFFIXES.get(exponent, '')}"


def _number(value: Decimal) -> str:
    """Spell a JSON number as Go's encoding/json spells a float64: 1E+3 is 1000, 0.50 is 0.5."""
    if not value.is_finite():
        return str(value)
    sign, digits, exponent = value.as_tuple()
    figures = "".join(map(str, digits)).lstrip("0")
    bare = figures.rstrip("0")
    if not bare:
        return "-0" if sign else "0"
    minus = "-" if sign else ""
    shift = int(exponent) + len(figures) - len(bare)
    magnitude = shift + len(bare) - 1
    if magnitude >= 21 or magnitude < -6:
        fraction = f".{bare[1:]}" if len(bare) > 1 else ""
        return f"{minus}{bare[0]}{fraction}e{magnitude:+03d}"
    if shift >= 0:
        return f"{minus}{bare}{'0' * shift}"
    whole, rest = bare[:shift], bare[shift:]
    return f"{minus}{whole or '0'}.{rest.rjust(-shift, '0')}"
