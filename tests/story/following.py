"""docs/audit.md followed from its first line to its last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.story.page import Step
from tests.story.terminal import Terminal
from tests.story.volatile import renamed, same


def followed(steps: Sequence[Step], terminal: Terminal) -> Iterator[tuple[Step, str, str]]:
    """Each step, the line as typed here, and what was shown.

    Raises LookupError when a line names what no output above it shows: a leftover of another run.
    """
    names: dict[str, str] = {}
    for number, step in enumerate(steps):
        if step.meanwhile:
            yield step, step.line, terminal.elsewhere.pop(0)
            continue
        line = renamed(step.line, names)
        typed = Step(line, step.output)
        meanwhile: list[Step] = []
        if step.interrupted:
            for other in steps[number + 1 :]:
                if not other.meanwhile:
                    break
                meanwhile.append(other)
        shown = terminal.type(typed, meanwhile=meanwhile)
        names |= same(step.output, shown)
        yield step, line, shown
