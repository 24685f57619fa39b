"""The table of values in the chart's README, from the comments in values.yaml.

A value is described by the comment above it that begins with `# --`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from tests.chart.render import CHART

README = CHART / "README.md"
_KEY = re.compile(r"( *)([A-Za-z]+):")
_COMMENT = re.compile(r" *# ?(-- )?(.*)")


def with_values(page: str, values: Path = CHART / "values.yaml") -> str:
    """``page`` with the table between its marks as it ought to be."""
    text = values.read_text()
    defaults = yaml.safe_load(text)
    rows = ["| value | default | what it does |", "|---|---|---|"]
    for path, meaning in described(text):
        default = defaults
        for name in path:
            default = default[name]
        escaped = meaning.replace("|", r"\|")
        rows.append(f"| `{'.'.join(path)}` | `{json.dumps(default)}` | {escaped} |")
    table = "\n".join(rows)
    return re.sub(
        r"(<!-- values:[^\n]*-->\n).*?(<!-- /values -->)",
        lambda match: f"{match[1]}{table}\n{match[2]}",
        page,
        flags=re.DOTALL,
    )


def described(text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each value that has a description, and it, in one line."""
    path: list[str] = []
    comment: list[str] | None = None
    for line in text.splitlines():
        if found := _COMMENT.fullmatch(line):
            if found[1]:
                comment = [found[2]]
            elif comment is not None:
                comment.append(found[2])
        elif key := _KEY.match(line):
            path[len(key[1]) // 2 :] = [key[2]]
            if comment is not None:
                yield tuple(path), " ".join(comment)
            comment = None
