"""Pages of docs/ as their reader uses them: what to type, and what is shown below it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.cluster.crds import REPOSITORY

_DOCS = REPOSITORY / "docs"
_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# A block without a language is a picture of an output unless it begins like this.
_PROGRAMS = ("linkerd", "linkerd-smi", "kubectl", "helm", "curl", "make", "docker")
_ASSIGNMENT = re.compile(r"[A-Z_]+=\S* ")


@dataclass(frozen=True)
class Typed:
    """One line to type, and the picture of its output, empty when there is none."""

    line: str
    output: str


def typed(page: str, heading: str = "") -> list[Typed]:
    """The lines of a page, or of its part under a heading, in order."""
    text = (_DOCS / page).read_text(encoding="utf-8")
    if heading:
        text = re.split(r"^## ", text.partition(f"\n{heading}\n")[2], flags=re.MULTILINE)[0]
    found: list[Typed] = []
    for language, block in _FENCED.findall(text):
        if language:
            continue
        if _is_a_command(block):
            found += [Typed(line, "") for line in block.splitlines()]
        else:
            found[-1] = Typed(found[-1].line, block.rstrip("\n"))
    return found


def _is_a_command(block: str) -> bool:
    return _ASSIGNMENT.sub("", block).split()[0] in _PROGRAMS
