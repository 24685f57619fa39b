"""Strategic merge patch: lists of core kinds merged by key, with $patch directives."""

from __future__ import annotations

from typing import Any

from reactor.sandbox.documents import Document
from reactor.sandbox.shape import Shape
from reactor.sandbox.status import bad_request

_DIRECTIVE = "$patch"
_DELETE_VALUES = "$deleteFromPrimitiveList/"
_ORDER = "$setElementOrder/"
_RETAIN = "$retainKeys"


def merge(target: Document, patch: Document, shape: Shape) -> Document:
    """Merge `patch` into `target`, which is changed. Raises StatusError (400)."""
    directive = patch.get(_DIRECTIVE)
    if directive == "replace":
        return {key: value for key, value in patch.items() if key != _DIRECTIVE}
    if directive == "delete":
        return {}
    retained = patch.get(_RETAIN)
    if isinstance(retained, list):
        for key in [key for key in target if key not in retained]:
            del target[key]
    for key, value in patch.items():
        if key.startswith(_DELETE_VALUES):
            name = key.removeprefix(_DELETE_VALUES)
            target[name] = [item for item in target.get(name) or [] if item not in value]
        elif key.startswith("$"):
            continue
        elif value is None:
            target.pop(key, None)
        else:
            target[key] = _value(target.get(key), value, shape.at(key))
    for key, order in patch.items():
        if key.startswith(_ORDER):
            name = key.removeprefix(_ORDER)
            if isinstance(target.get(name), list):
                target[name] = _ordered(target[name], order, shape.at(name))
    return target


def _value(current: Any, value: Any, shape: Shape) -> Any:
    if isinstance(value, dict):
        return merge(current if isinstance(current, dict) else {}, value, shape)
    if not isinstance(value, list) or not isinstance(current, list):
        return _stripped(value, shape) if isinstance(value, list) else value
    if shape.merge_key:
        return _list(current, value, shape)
    if shape.unique:
        return current + [item for item in value if item not in current]
    return value


def _stripped(items: list[Any], shape: Shape) -> list[Any]:
    """A new list: directives have nothing to act on."""
    if not shape.merge_key:
        return items
    return _list([], items, shape)


def _list(current: list[Any], patch: list[Any], shape: Shape) -> list[Any]:
    key = shape.merge_key
    if any(isinstance(item, dict) and item.get(_DIRECTIVE) == "replace" for item in patch):
        return [item for item in patch if not (isinstance(item, dict) and _DIRECTIVE in item)]
    result = list(current)
    for item in patch:
        if not isinstance(item, dict) or key not in item:
            raise bad_request(f"map: {item} does not contain declared merge key: {key}")
        place = next(
            (index for index, held in enumerate(result) if held.get(key) == item[key]), None
        )
        if item.get(_DIRECTIVE) == "delete":
            result = [held for held in result if held.get(key) != item[key]]
        elif place is None:
            result.append(merge({}, item, shape.element))
        else:
            result[place] = merge(result[place], item, shape.element)
    return result


def _ordered(items: list[Any], order: list[Any], shape: Shape) -> list[Any]:
    """Items named in `order` in that order; others keep their place relative to the end."""
    key = shape.merge_key

    def rank(item: Any) -> int:
        wanted = {key: item.get(key)} if key and isinstance(item, dict) else item
        return order.index(wanted) if wanted in order else -1

    named = sorted((item for item in items if rank(item) >= 0), key=rank)
    return named + [item for item in items if rank(item) < 0]
