"""The three formats of `linkerd check`: table, short and json."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Literal

import msgspec

from reactor.check.result import CATEGORY, Outcome, Result

Format = Literal["table", "short", "json"]
Paint = Callable[[str, Outcome], str]

_MARKS: dict[Outcome, str] = {"success": "√", "warning": "‼", "error": "×"}


class _Check(msgspec.Struct, kw_only=True):
    """Unlike those of `Result`, the field ``result`` is always written."""

    description: str
    hint: str | msgspec.UnsetType = msgspec.UNSET
    error: str | msgspec.UnsetType = msgspec.UNSET
    result: Outcome


class _Category(msgspec.Struct, rename="camel"):
    category_name: str
    checks: list[_Check]


class _Output(msgspec.Struct):
    success: bool
    categories: list[_Category]


def passed(results: Iterable[Result]) -> bool:
    """Whether no check failed; warnings are no failures."""
    return all(result.result != "error" for result in results)


def heading() -> Iterator[str]:
    """The category's name, underlined."""
    yield CATEGORY
    yield "-" * len(CATEGORY)


def lines(result: Result, paint: Paint) -> Iterator[str]:
    """A mark with the description, and below it what is wrong and what to type."""
    yield f"{paint(_MARKS[result.result], result.result)} {result.description}"
    if result.error:
        yield f"    {result.error}"
    if result.hint:
        yield f"    see {result.hint} for hints"


def ending(success: bool, paint: Paint) -> str:
    """The line that people grep for."""
    outcome: Outcome = "success" if success else "error"
    return f"Status check results are {paint(_MARKS[outcome], outcome)}"


def as_json(results: Iterable[Result]) -> str:
    """One object as `linkerd check` reads it from an extension's stdout."""
    checks = [
        _Check(
            description=result.description,
            hint=result.hint or msgspec.UNSET,
            error=result.error or msgspec.UNSET,
            result=result.result,
        )
        for result in results
    ]
    output = _Output(all(c.result != "error" for c in checks), [_Category(CATEGORY, checks)])
    return msgspec.json.format(msgspec.json.encode(output), indent=2).decode()
