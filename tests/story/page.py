"""docs/audit.md as its reader uses it: each line to type, and what is shown below it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.crds import REPOSITORY

PAGE: Path = REPOSITORY / "docs" / "audit.md"
_BLOCK = re.compile(r"^```console( meanwhile)?\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Step:
    """A line to type and the picture of its output; ``meanwhile``: in another terminal."""

    line: str
    output: str
    meanwhile: bool = False

    @property
    def interrupted(self) -> bool:
        """Whether it goes on until Ctrl-C."""
        return self.output.rstrip().endswith("^C")


def steps(text: str) -> list[Step]:
    """All of them, in order."""
    return [step for _, found in _blocks(text) for step in found]


def rewritten(text: str, outputs: Iterator[tuple[str, str]]) -> str:
    """``text`` with other lines and outputs, in the same order."""

    def block(match: re.Match[str]) -> str:
        shown = ""
        for _ in _parsed(match):
            line, output = next(outputs)
            shown += f"$ {line}\n" + (f"{output.rstrip()}\n" if output.strip() else "")
        return f"```console{match[1] or ''}\n{shown}```"

    return _BLOCK.sub(block, text)


def _blocks(text: str) -> Iterator[tuple[re.Match[str], list[Step]]]:
    for match in _BLOCK.finditer(text):
        yield match, _parsed(match)


def _parsed(match: re.Match[str]) -> list[Step]:
    found = []
    for typed in re.split(r"^\$ ", match[2], flags=re.MULTILINE)[1:]:
        # A line that ends with a backslash goes on in the next.
        head = re.match(r"(?:.*\\\n)*.*", typed)
        assert head is not None
        found.append(Step(head[0], typed[head.end() + 1 :], meanwhile=match[1] is not None))
    return found
