"""Sets of field paths, compared and written as Kubernetes does (structured-merge-diff).

A path is a tuple of path elements as fieldsV1 spells them: `f:spec`, `k:{"port":80}`, `v:"x"`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from reactor.sandbox.documents import Document, encode
from reactor.sandbox.shape import Shape

Path = tuple[str, ...]
Paths = frozenset[Path]
_ABSENT: Any = object()


class Difference(msgspec.Struct, frozen=True):
    """What came, changed and went between two documents."""

    added: Paths
    modified: Paths
    removed: Paths


def compare(old: Any, new: Any, shape: Shape) -> Difference:
    """Compare as structured-merge-diff does: the parents of an added field count as added too."""
    walk = _Walk()
    walk.value(old, new, shape, ())
    return Difference(frozenset(walk.added), frozenset(walk.modified), frozenset(walk.removed))


def to_fields(paths: Iterable[Path]) -> Document:
    """Write a set as fieldsV1."""
    root: dict[str, Any] = {}
    for path in sorted(paths, key=len):
        node = root
        for step in path[:-1]:
            child = node.get(step)
            if child is None:
                child = node[step] = {}
            elif child is _LEAF:
                child = node[step] = {".": {}}
            node = child
        node[path[-1]] = _LEAF
    return _plain(root)


def from_fields(fields: Document) -> Paths:
    """Read fieldsV1."""
    found: set[Path] = set()
    _collect(fields, (), found)
    return frozenset(found)


_LEAF: dict[str, Any] = {}


def _plain(node: dict[str, Any]) -> Document:
    return {key: {} if child is _LEAF else _plain(child) for key, child in node.items()}


def _collect(node: Document, path: Path, found: set[Path]) -> None:
    for step, child in node.items():
        if step == ".":
            found.add(path)
        elif child:
            _collect(child, (*path, step), found)
        else:
            found.add((*path, step))


class _Walk:
    def __init__(self) -> None:
        self.added: set[Path] = set()
        self.modified: set[Path] = set()
        self.removed: set[Path] = set()

    def value(self, old: Any, new: Any, shape: Shape, path: Path) -> None:
        if old is new:
            return
        leaf = self._descend(old, new, shape, path)
        if leaf:
            if old is _ABSENT:
                self.added.add(path)
            elif new is _ABSENT:
                self.removed.add(path)
            elif old != new or type(old) is not type(new):
                self.modified.add(path)
                self._replace(old, new, shape, path)
        elif old is _ABSENT:
            self.added.add(path)
        elif new is _ABSENT:
            self.removed.add(path)

    def _replace(self, old: Any, new: Any, shape: Shape, path: Path) -> None:
        """A map that became a scalar, or the reverse: what was below is gone, or new."""
        if isinstance(old, dict) is not isinstance(new, dict) and not shape.atomic:
            self._descend(old, _ABSENT, shape, path)
            self._descend(_ABSENT, new, shape, path)

    def _descend(self, old: Any, new: Any, shape: Shape, path: Path) -> bool:
        """Walk into a granular pair; True when the pair is a leaf."""
        sample = old if new is _ABSENT or new is None else new
        if isinstance(sample, dict):
            return self._map(old, new, shape, path)
        if isinstance(sample, list) and (shape.keys or shape.unique):
            return self._list(old, new, shape, path)
        return True

    def _map(self, old: Any, new: Any, shape: Shape, path: Path) -> bool:
        before, after = _as(dict, old), _as(dict, new)
        if before is None or after is None or shape.atomic or not (before or after):
            return True
        for key in before.keys() | after.keys():
            self.value(
                before.get(key, _ABSENT),
                after.get(key, _ABSENT),
                shape.at(key),
                (*path, "f:" + key),
            )
        return False

    def _list(self, old: Any, new: Any, shape: Shape, path: Path) -> bool:
        before, after = _as(list, old), _as(list, new)
        if before is None or after is None or not (before or after):
            return True
        one, two = _indexed(before, shape), _indexed(after, shape)
        if one is None or two is None:
            return True
        for step in one.keys() | two.keys():
            self.value(one.get(step, _ABSENT), two.get(step, _ABSENT), shape.element, (*path, step))
        return False


def _as(kind: type, value: Any) -> Any:
    """`value` as a container of `kind`; null and absent count as empty; None if another type."""
    if value is _ABSENT or value is None:
        return kind()
    return value if isinstance(value, kind) else None


def _indexed(items: list[Any], shape: Shape) -> dict[str, Any] | None:
    found: dict[str, Any] = {}
    for item in items:
        if shape.unique:
            found["v:" + encode(item).decode()] = item
            continue
        if not isinstance(item, dict):
            return None
        key = {k: item.get(k, shape.defaults.get(k)) for k in shape.keys}
        key = {k: v for k, v in key.items() if v is not None}
        found.setdefault("k:" + encode(key).decode(), item)
    return found
