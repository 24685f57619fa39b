"""What a command tells people beside its answer, which others read."""

from __future__ import annotations

import sys

import click


def say(text: str) -> None:
    """A line on stderr that bears the program's name: much else may speak in a pipeline."""
    wipe()
    click.echo(f"linkerd-smi: {text}", err=True)


def wipe() -> None:
    """Take back the line on which progress was shown."""
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
