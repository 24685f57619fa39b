"""What became of a check, in Linkerd's terms (linkerd2 pkg/healthcheck)."""

from __future__ import annotations

from typing import Literal

import msgspec

CATEGORY = "linkerd-smi"

Outcome = Literal["success", "warning", "error"]


class Trouble(msgspec.Struct, frozen=True):
    """Why a check is not fine: a sentence, and as ``hint`` what to type about it.

    ``warning``: the extension works all the same.
    """

    error: str
    hint: str
    warning: bool = False


class Result(msgspec.Struct, frozen=True):
    """One check; the fields are Linkerd's.

    Linkerd takes a result without ``error`` for a success, so one that isn't has a text there.
    """

    description: str
    hint: str = ""
    error: str = ""
    result: Outcome = "success"


def told(description: str, trouble: Trouble | None) -> Result:
    """The result of a check that found this, or nothing."""
    if trouble is None:
        return Result(description)
    outcome: Outcome = "warning" if trouble.warning else "error"
    return Result(description, trouble.hint, trouble.error, outcome)


def some(items: list[str], *, limit: int = 5) -> str:
    """The first few, and how many more there are."""
    more = len(items) - limit
    return "; ".join(items[:limit]) + (f"; and {more} more" if more > 0 else "")
