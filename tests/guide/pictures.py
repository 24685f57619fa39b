"""The guide's pictures of outputs, compared with what is printed today.

What can't be the same is left out by name: moments, identities, and what kubectl prints otherwise
since the guide was written.
"""

from __future__ import annotations

import re

_TIME = re.compile(r'^time="[^"]*" ')
_VARYING = ("Creation Timestamp:", "Resource Version:", "UID:")


def described(text: str) -> list[str]:
    """The lines of `kubectl describe`, with single spaces; no values that differ each time."""
    found: list[str] = []
    within_managed_fields = False
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip())
        if line.strip() == "Managed Fields:":
            # kubectl describe no longer shows them.
            within_managed_fields = True
            continue
        if within_managed_fields and indent > 2:
            continue
        within_managed_fields = False
        if line.strip():
            words = " ".join(line.split())
            found.append(next((name for name in _VARYING if words.startswith(name)), words))
    return found


def logged(text: str) -> list[str]:
    """The lines of a log without their moments."""
    return [_TIME.sub("", line) for line in text.splitlines()]


def in_order(wanted: list[str], lines: list[str]) -> list[str]:
    """What of ``wanted`` doesn't follow in ``lines``, other lines in between or not."""
    rest = iter(lines)
    return [line for line in wanted if line not in rest]


def table(text: str) -> list[dict[str, str]]:
    """The rows of a table by its headings."""
    head, *rows = [line.split() for line in text.splitlines() if line.strip()]
    return [dict(zip(head, row, strict=True)) for row in rows]
