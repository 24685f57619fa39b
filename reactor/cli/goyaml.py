"""YAML as kubectl reads it: Go's idea of what is a number, a truth or nothing.

A weight of `1e3` is a number to kubectl and a text to PyYAML, so the scalars are resolved here by
go-yaml's rules (go.yaml.in/yaml/v2 resolve.go). What is written back is quoted by the same rules.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import yaml

from reactor.sandbox import numbers

_TAG = "tag:yaml.org,2002:"
_WORDS: dict[str, tuple[str, Any]] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "on", "On", "ON"), ("bool", True)),
    **dict.fromkeys(("true", "True", "TRUE"), ("bool", True)),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "off", "Off", "OFF"), ("bool", False)),
    **dict.fromkeys(("false", "False", "FALSE"), ("bool", False)),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), ("null", None)),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), ("float", math.nan)),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), ("float", math.inf)),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), ("float", -math.inf)),
}
_INTEGER = re.compile(
    r"(?P<sign>[-+]?)(?:0[xX](?P<hex>[0-9a-fA-F]+)|0[bB](?P<bin>[01]+)"
    r"|0[oO]?(?P<oct>[0-7]+)|(?P<dec>0|[1-9][0-9]*))"
)
_BASES = {"hex": 16, "bin": 2, "oct": 8, "dec": 10}
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_LONGEST = 1100
"""Digits of a number that is worth reading: the largest float64 has 309."""
_DEEPEST = 200


class NotYaml(ValueError):
    """The text is no YAML; the message says why, ``line`` where (1 is the first)."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def documents(text: str) -> Iterator[tuple[int, Any]]:
    """Each document with the line that it begins on, as JSON would hold it; Lists are opened.

    Raises `NotYaml`.
    """
    if text.lstrip().startswith("{"):
        text = text.replace("\t", " ")  # JSON may be indented by tabs, YAML may not
    loader = _Loader(text)
    line = 1
    try:
        while loader.check_node():
            node = loader.get_node()
            assert node is not None
            line = node.start_mark.line + 1
            for part, defaults in _opened(node):
                line = part.start_mark.line + 1
                found = loader.construct_document(part)
                yield line, {**defaults, **found} if isinstance(found, dict) else found
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        why = error.problem or error.context or "not understood"
        raise NotYaml(why, mark.line + 1 if mark is not None else line) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise NotYaml(str(error), line) from error
    finally:
        loader.dispose()


def dump(objects: Iterable[Any]) -> str:
    """Documents, each after a line of dashes, in the order of their keys."""
    return yaml.dump_all(
        objects, Dumper=_Dumper, sort_keys=False, default_flow_style=False, explicit_start=True
    )


def _opened(node: yaml.Node) -> Iterator[tuple[yaml.Node, dict[str, str]]]:
    """The items of a List, which need not name their own kind; else the node itself."""
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    fields = {key.value: value for key, value in pairs if isinstance(key, yaml.ScalarNode)}
    kind, items = fields.get("kind"), fields.get("items")
    if not (
        isinstance(kind, yaml.ScalarNode)
        and kind.value.endswith("List")
        and isinstance(items, yaml.SequenceNode)
    ):
        yield node, {}
        return
    defaults = {}
    version = fields.get("apiVersion")
    if kind.value != "List" and isinstance(version, yaml.ScalarNode):
        defaults = {"apiVersion": version.value, "kind": kind.value.removesuffix("List")}
    for item in items.value:
        yield item, defaults


def _resolved(text: str) -> tuple[str, Any]:
    """The short tag of a plain scalar, and its value."""
    if text in _WORDS:
        return _WORDS[text]
    if text == "<<":
        return "merge", text
    if text[0] not in "+-.0123456789" or len(text) > _LONGEST:
        return "str", text
    plain = text if text[0] == "." else text.replace("_", "")
    whole = _INTEGER.fullmatch(plain)
    if whole is not None:
        base = str(whole.lastgroup)
        value = int(f"{whole['sign']}{whole[base]}", _BASES[base])
        if -(2**63) <= value < 2**63 or (value < 2**64 and not whole["sign"]):
            return "int", value
    if _FLOAT.fullmatch(plain) and math.isfinite(number := float(plain)):
        return "float", number
    return "str", text


class _Resolver:
    """In the place of PyYAML's, for both ways."""

    _depth = 0

    def descend_resolver(self, parent: yaml.Node | None, index: Any) -> None:
        # libyaml's binding recurses in C: a file of brackets would end the process.
        self._depth += 1
        if self._depth > _DEEPEST and parent is not None:
            raise _refused(parent, "nested too deeply")

    def ascend_resolver(self) -> None:
        self._depth -= 1

    def resolve(self, kind: type[yaml.Node], value: str | None, implicit: Any) -> str:
        if kind is yaml.ScalarNode:
            return _TAG + (_resolved(value or "")[0] if implicit[0] else "str")
        return _TAG + ("seq" if kind is yaml.SequenceNode else "map")


class _Loader(_Resolver, yaml.CSafeLoader):
    """Makes what JSON can hold."""


class _Dumper(_Resolver, yaml.CSafeDumper):
    """Writes text so that kubectl reads it as text."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _number(loader: _Loader, node: yaml.ScalarNode) -> float | int:
    tag, value = _resolved(node.value)
    if tag not in ("int", "float") or not math.isfinite(value):
        raise _refused(node, f"{node.value!r} is no number that JSON knows")
    return float(value) if node.tag == f"{_TAG}float" else int(value)


def _word(loader: _Loader, node: yaml.ScalarNode) -> bool | None:
    tag, value = _resolved(node.value)
    if tag not in ("bool", "null"):
        raise _refused(node, f"{node.value!r} is not {node.tag.removeprefix(_TAG)}")
    return bool(value) if tag == "bool" else None


def _text(loader: _Loader, node: yaml.ScalarNode) -> str:
    return str(node.value)


def _mapping(loader: _Loader, node: yaml.MappingNode) -> Iterator[dict[str, Any]]:
    found: dict[str, Any] = {}
    yield found
    loader.flatten_mapping(node)
    for key, value in node.value:
        found[_key(key)] = loader.construct_object(value)


def _key(node: yaml.Node) -> str:
    """What kubectl makes a key of JSON of: `1: x` is `"1": x`."""
    if isinstance(node, yaml.ScalarNode) and node.tag != f"{_TAG}null":
        tag, value = _resolved(node.value)
        if node.tag == f"{_TAG}str" or tag in ("str", "merge"):
            return str(node.value)
        return str(value).lower() if tag == "bool" else numbers.text(float(value))
    raise _refused(node, "a key has to be a text")


def _unknown(loader: _Loader, node: yaml.Node) -> Any:
    """A tag that someone else understands, as if it were not there."""
    if isinstance(node, yaml.ScalarNode):
        return node.value
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return {_key(key): loader.construct_object(value, deep=True) for key, value in node.value}


def _refused(node: yaml.Node, message: str) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, message, node.start_mark)


_MAKERS: dict[str, Callable[[Any, Any], Any]] = {
    "int": _number,
    "float": _number,
    "bool": _word,
    "null": _word,
    "str": _text,
    "map": _mapping,
}
for _name, _make in _MAKERS.items():
    _Loader.add_constructor(_TAG + _name, _make)
_Loader.add_constructor(None, _unknown)
