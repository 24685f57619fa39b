"""Answers for people (tables, with colours and relative times on a terminal) and for machines."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from typing import Any

import click
import msgspec

from reactor.cli.audit import times
from reactor.cli.say import wipe
from reactor.cli.table import table

_STYLES = {
    **dict.fromkeys(("created", "patched", "deleted", "in-sync", "yes"), "green"),
    **dict.fromkeys(("conflict", "skipped", "purged", "interrupted"), "yellow"),
    **dict.fromkeys(("failed", "invalid", "gap", "no"), "red"),
}

_WHOLE = frozenset({"TIME", "KIND", "OUTCOME", "TOOK", "ENTRY"})
"""Columns that are not broken into lines."""


def terminal() -> bool:
    """Whether a person looks at stdout."""
    return sys.stdout.isatty()


def when(at: str, *, wide: bool = False, lasting: bool = False) -> str:
    """A moment: how long ago for a person, else (or if it is to last) exactly."""
    if wide:
        return at
    return times.ago(at) if terminal() and not lasting else times.exact(at)


def machine(value: Any, form: str) -> None:
    """A struct as JSON or YAML, whole."""
    body = msgspec.json.encode(value)
    if form == "json":
        click.echo(msgspec.json.format(body, indent=2).decode())
    else:
        click.echo(as_yaml(msgspec.json.decode(body)), nl=False)


def as_yaml(value: Any) -> str:
    """Plain values as YAML, in their order."""
    import yaml

    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100)
    return text


def columns(header: Sequence[str], rows: Sequence[Sequence[str | None]]) -> None:
    """A table; on a terminal it fits the width, and outcomes have colours."""
    lines = [[plain(cell or "") for cell in row] for row in rows]
    if not terminal():
        click.echo(table(header, lines))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    # Each with text of its own: a message is no markup.
    made = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for name in header:
        made.add_column(name, no_wrap=name in _WHOLE, overflow="fold")
    for line in lines:
        made.add_row(*(Text(cell, style=_style(cell) or "") for cell in line))
    Console(highlight=False).print(made)


def stream(widths: Sequence[int], cells: Sequence[str | None]) -> None:
    """One row of a table that has no end."""
    coloured = terminal() and not os.environ.get("NO_COLOR")
    shown = []
    for width, cell in zip(widths, map(plain, (cell or "" for cell in cells)), strict=True):
        padded = cell.ljust(width)
        shown.append(click.style(padded, fg=_style(cell)) if coloured else padded)
    click.echo("   ".join(shown).rstrip())
    sys.stdout.flush()


def _style(cell: str) -> str | None:
    """By the cell's first word."""
    return _STYLES.get(cell.partition(":")[0])


def plain(text: str) -> str:
    """Without line ends and control characters, which could make a terminal do things."""
    return "".join(char if char.isprintable() else " " for char in text)


def fields(pairs: Sequence[tuple[str, str | None]]) -> None:
    """Names and values, one a line; absent ones are left out."""
    width = max(len(name) for name, _ in pairs)
    for name, value in pairs:
        if value is not None:
            click.echo(f"{(name + ':').ljust(width + 2)} {plain(value)}")


def progress(text: str) -> None:
    """What is being done, on a line that the next text takes; for people only."""
    wipe()
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns - 1
        print(text[:width], end="", file=sys.stderr, flush=True)
