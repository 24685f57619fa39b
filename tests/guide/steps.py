"""The guide's commands, as its reader types them, with what it shows below each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_FILE = Path(__file__).with_name("guide.txt")


@dataclass(frozen=True)
class Step:
    """One command, which may have several lines, and the guide's picture of its output."""

    command: str
    output: str


def steps() -> list[Step]:
    """All of them, in the guide's order."""
    found: list[Step] = []
    for block in _FILE.read_text(encoding="utf-8").split("\n$ ")[1:]:
        lines = block.strip("\n").split("\n")
        more = [line for line in lines[1:] if line.startswith("> ")]
        command = "\n".join([lines[0], *(line.removeprefix("> ") for line in more)])
        found.append(Step(command, "\n".join(lines[1 + len(more) :])))
    return found


def step(start: str) -> Step:
    """The one whose command starts so."""
    (found,) = [one for one in steps() if one.command.startswith(start)]
    return found
