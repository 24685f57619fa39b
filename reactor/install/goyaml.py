"""YAML as Helm and kubectl read it: go-yaml v2, every number a float64, first document only.

The difference to PyYAML is in plain scalars: `y` is true there, `1e3` a number, `1:30` a text and
`2026-01-01` too. `load` follows Go; `dump` quotes whatever either of the two would misread.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import yaml

Tree = dict[str, Any]

_TRUE = ("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON")
_FALSE = ("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF")
_NULL = ("", "~", "null", "Null", "NULL")
_UNENDING = (
    ".nan",
    ".NaN",
    ".NAN",
    *(s + i for s in ("", "+", "-") for i in (".inf", ".Inf", ".INF")),
)
_WORDS: dict[str, object] = {
    **dict.fromkeys(_TRUE, True),
    **dict.fromkeys(_FALSE, False),
    **dict.fromkeys(_NULL, None),
    **dict.fromkeys(_UNENDING, math.nan),
}
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_FRACTION = re.compile(r"\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?")
_INTEGERS = (
    (re.compile(r"([-+]?)0[xX]([0-9a-fA-F]+)"), 16),
    (re.compile(r"([-+]?)0[bB]([01]+)"), 2),
    (re.compile(r"([-+]?)0[oO]?([0-7]+)"), 8),
    (re.compile(r"([-+]?)(0|[1-9][0-9]*)"), 10),
)
_INT64, _UINT64 = range(-(2**63), 2**63), range(2**64)
_NO_TEXT = re.compile(
    rf"(?:{'|'.join(map(re.escape, _WORDS))}|[-+]?[.0-9][0-9._]*(?:[eE][-+]?[0-9_]+)?"
    r"|[-+]?0[xX][0-9a-fA-F_]+|[-+]?0[oObB][0-7_]+)$"
)
_PLAIN = "!plain"
_MERGE = "tag:yaml.org,2002:merge"
_TEXT = "tag:yaml.org,2002:str"


def load(text: bytes) -> object:
    """The first document, as JSON would hold it: no shared parts, every key a text.

    ValueError, in one sentence, when there is no such reading.
    """
    return next(_documents(text), None)


def load_all(text: bytes) -> list[object]:
    """Every document; ValueError as for `load`."""
    return list(_documents(text))


def _documents(text: bytes) -> Iterator[object]:
    try:
        for document in yaml.load_all(text, Loader=_Loader):
            yield _jsonable(document)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}: " if mark is not None else ""
        raise ValueError(f"{where}{error.problem or error.context}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(" ".join(str(error).split())) from error
    except RecursionError as error:
        raise ValueError("it is nested too deep, or within itself") from error


def dump(documents: list[Tree]) -> str:
    """Documents for kubectl, each after a line `---`, keys in their own order."""
    return yaml.dump_all(
        documents,
        Dumper=_Dumper,
        sort_keys=False,
        default_flow_style=False,
        allow_unicode=True,
        explicit_start=True,
        width=100,
    )


def plain(text: str) -> object:
    """What go-yaml makes of a scalar without quotes."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in "+-0123456789":
        text_or_number = _number(text.replace("_", ""))
        return text if text_or_number is None else text_or_number
    if _FRACTION.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return text


def _number(text: str) -> int | float | None:
    for pattern, base in _INTEGERS:
        match = pattern.fullmatch(text)
        if match is not None and len(match[2]) < 128:
            number = int(match[1] + match[2], base)
            if number in _INT64 or (not match[1] and number in _UINT64):
                return number
    if _FLOAT.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return None


def _jsonable(value: object) -> object:
    if isinstance(value, dict):
        return {_key(key): _jsonable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_jsonable(item) for item in value]
    if isinstance(value, str):
        # Halves of a surrogate pair, which Go refuses as well: a ValueError.
        value.encode()
        return value
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        # Helm decodes values files as JSON, which knows no integers.
        number = float(value)
        if not math.isfinite(number):
            raise ValueError(f"{value} is no number that JSON can hold")
        # The shortest digits that mean this number, as Go prints it.
        return int(Decimal(repr(number))) if number.is_integer() else number
    raise ValueError(f"a {type(value).__name__} is nothing that a values file may hold")


def _key(key: object) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, str | int):
        return str(key)
    if isinstance(key, float):
        return repr(key).removesuffix(".0")
    raise ValueError(f"the key {key!r} is no text")


class _Loader(yaml.SafeLoader):
    """PyYAML's grammar with go-yaml's plain scalars."""


_Loader.yaml_implicit_resolvers = {
    "<": [(_MERGE, re.compile("<<$"))],
    None: [(_PLAIN, re.compile(""))],
}
_Loader.add_constructor(_PLAIN, lambda loader, node: plain(node.value))
_Loader.add_constructor(_MERGE, lambda loader, node: node.value)


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as blocks; quotes where Go, or PyYAML, would read no text."""

    def ignore_aliases(self, data: object) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        # Lists stand in from their key, as everywhere in config/.
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar(_TEXT, text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)
# A plain scalar that resolves to anything but a text gets its quotes from PyYAML.
_Dumper.add_implicit_resolver(_PLAIN, _NO_TEXT, None)
