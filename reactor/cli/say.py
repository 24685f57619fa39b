"""What a command tells people beside its answer, which others read."""

from __future__ import annotations

import click


def say(text: str) -> None:
    """A line on stderr that bears the program's name: much else may speak in a pipeline."""
    click.echo(f"linkerd-smi: {text}", err=True)
