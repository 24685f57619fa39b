"""YAML documents as kubectl reads them, each with its line.

A weight of `1e3` is a number to kubectl and a text to PyYAML, so scalars are what go-yaml takes
them for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from types import NoneType
from typing import Any

import yaml

from reactor.install.goyaml import plain
from reactor.sandbox import numbers

_TAG = "tag:yaml.org,2002:"
_SHORT = {bool: "bool", int: "int", float: "float", str: "str", NoneType: "null"}
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
    if text == "<<":
        return "merge", text
    value = plain(text)
    return _SHORT[type(value)], value


class _Loader(yaml.CSafeLoader):
    """Makes what JSON can hold; libyaml's own resolver and constructor are left out."""

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
