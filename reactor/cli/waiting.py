"""`--wait`, which is a Go duration and may be nothing at all."""

from __future__ import annotations

import re

import click


def seconds(flag: str, text: str) -> float:
    """Seconds of `5m0s`, `90s` or `0s`; a usage error, naming the flag, for anything else."""
    from reactor import units

    if re.fullmatch(r"0+(ms|[smh])?", text):
        return 0.0
    try:
        return units.duration(text)
    except ValueError as error:
        raise click.UsageError(f"{flag}={text}: {error}") from error
