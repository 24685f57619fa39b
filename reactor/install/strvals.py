"""Helm's grammar of --set, --set-string and --set-file: `a.b=1,c[0].d={x,y}`.

It accepts and refuses what Helm 3.21 does (its pkg/strvals), oddities included: charts and
scripts in the field rely on them, and a test compares the two.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Tree = dict[str, Any]
Reader = Callable[[str], object]

_DEEPEST = 30  # dots in one name
_LARGEST_INDEX = 65536
_INTEGER = re.compile(r"[+-]?[0-9]+")
_INT64 = range(-(2**63), 2**63)
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}


class Malformed(ValueError):
    """An assignment that Helm refuses as well; the message says which part of it."""


def typed(text: str) -> object:
    """The value that --set makes of a text: a boolean, null, an integer or the text itself."""
    word = text.casefold()
    if word in _WORDS:
        return _WORDS[word]
    # A leading zero keeps a text: it may be a phone number or a commit.
    if _INTEGER.fullmatch(text) and (text == "0" or text[0] != "0"):
        number = _number(text)
        if number in _INT64:
            return number
    return text


def assign(expression: str, into: Tree, *, reader: Reader = typed) -> None:
    """Carries out the assignments in ``into``; Malformed when one can't be.

    ``reader`` makes a value of its text: `typed` for --set, `str` for --set-string.
    """
    cursor = _Assignments(expression, reader)
    try:
        while cursor.key(into, 0):
            pass
    except RecursionError as error:
        raise Malformed("it is nested too deep") from error


class _Assignments:
    """One pass over an expression.

    `key` and `_item` return False where the text ended before a value: Helm takes `a[0]`, `a.`
    and `a.=` for an end, not for an error, and keeps what it had made until then.
    """

    def __init__(self, text: str, reader: Reader) -> None:
        self._text = text
        self._at = 0
        self._reader = reader

    def key(self, data: Tree, depth: int) -> bool:
        """One name, and what is assigned to it."""
        name, stop = self._until("=[,.")
        if stop is None:
            if name:
                raise Malformed(f"key {name!r} has no value")
            return False
        if stop == ",":
            raise Malformed(f"key {name!r} has no value before the comma")
        if stop == "=":
            more = self._at < len(self._text)
            _put(data, name, self._value())
            return more
        if stop == "[":
            index = self._index()
            items = data.get(name, [])
            if not isinstance(items, list):
                raise Malformed(f"key {name!r} is no list")
            more, items = self._item(items, index, depth)
            _put(data, name, items)
            return more
        return self._inside(data, name, depth + 1)

    def _inside(self, data: Tree, name: str, depth: int) -> bool:
        """What follows the dot after ``name``."""
        if depth > _DEEPEST:
            raise Malformed(f"a name may have {_DEEPEST} dots at most")
        inner = data.get(name, {})
        if not isinstance(inner, dict):
            raise Malformed(f"key {name!r} is no map")
        more = self.key(inner, depth)
        if inner:
            _put(data, name, inner)
        elif more:
            raise Malformed(f"key {name!r} has no value")
        return more

    def _item(self, items: list[Any], index: int, depth: int) -> tuple[bool, list[Any]]:
        """What follows `[index]`, and the list with it."""
        junk, stop = self._until("[.=")
        if junk:
            raise Malformed(f"unexpected {junk!r} after index {index}")
        if stop is None:
            return False, items
        if stop == "=":
            return True, _with(items, index, self._value())
        present = items[index] if index < len(items) else None
        if stop == "[":
            second = self._index()
            if not isinstance(present, list | None):
                raise Malformed(f"item {index} is no list")
            more, nested = self._item([] if present is None else present, second, depth)
            return more, _with(items, index, nested) if more else items
        inner: Tree = {}
        if isinstance(present, dict):
            inner = present
        elif index < len(items):
            items[index] = inner
        more = self.key(inner, depth)
        return more, _with(items, index, inner) if more else items

    def _index(self) -> int:
        text, stop = self._until("]")
        if stop is None:
            raise Malformed("an index must end with ']'")
        if not _INTEGER.fullmatch(text):
            raise Malformed(f"index {text!r} is no number")
        index = _number(text)
        if not 0 <= index <= _LARGEST_INDEX:
            raise Malformed(f"index {text} is not within 0 and {_LARGEST_INDEX}")
        return index

    def _value(self) -> object:
        """What follows '=': a list in braces, or the text up to the next comma."""
        if self._at == len(self._text):
            return ""
        if self._text[self._at] != "{":
            return self._reader(self._until(",")[0])
        self._at += 1
        found: list[object] = []
        while True:
            text, stop = self._until(",}")
            if stop is None:
                raise Malformed("a list must end with '}'")
            if stop == "}" and self._text[self._at : self._at + 1] == ",":
                self._at += 1
            found.append(self._reader(text))
            if stop == "}":
                return found

    def _until(self, stops: str) -> tuple[str, str | None]:
        """The text up to the first of ``stops`` without its escapes; None when there is none."""
        found: list[str] = []
        characters = iter(self._text[self._at :])
        for character in characters:
            self._at += 1
            if character in stops:
                return "".join(found), character
            if character == "\\":
                character = next(characters, "")
                self._at += len(character)
            found.append(character)
        return "".join(found), None


def _number(text: str) -> int:
    # Python reads no more than 4300 digits; Helm, as everybody, calls these out of range.
    return int(text) if len(text) < 4000 else 2**63


def _put(data: Tree, name: str, value: object) -> None:
    # Helm drops what has no name.
    if name:
        data[name] = value


def _with(items: list[Any], index: int, value: object) -> list[Any]:
    grown = [*items, *[None] * (index + 1 - len(items))] if index >= len(items) else items
    grown[index] = value
    return grown
