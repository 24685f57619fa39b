"""What differs between two values, field by field."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec


class Field(msgspec.Struct, frozen=True):
    """One field, such as ``desired.overrides[1].weight``, as JSON values.

    A field that one side doesn't have is absent there.
    """

    field: str
    recorded: Any = msgspec.UNSET
    today: Any = msgspec.UNSET


def fields(recorded: msgspec.Struct, today: msgspec.Struct) -> tuple[Field, ...]:
    """The fields that differ, in their order."""
    return tuple(_walk("", msgspec.to_builtins(recorded), msgspec.to_builtins(today)))


def _walk(path: str, recorded: Any, today: Any) -> Iterator[Field]:
    if isinstance(recorded, dict) and isinstance(today, dict):
        for key in {**recorded, **today}:
            below = f"{path}.{key}" if path else key
            yield from _walk(below, recorded.get(key, msgspec.UNSET), today.get(key, msgspec.UNSET))
    elif isinstance(recorded, list | tuple) and isinstance(today, list | tuple):
        for index in range(max(len(recorded), len(today))):
            yield from _walk(
                f"{path}[{index}]",
                recorded[index] if index < len(recorded) else msgspec.UNSET,
                today[index] if index < len(today) else msgspec.UNSET,
            )
    elif recorded != today:
        yield Field(path, recorded, today)
