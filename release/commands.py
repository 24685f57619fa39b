"""Runs other programs: quiet when they succeed, their own words when they don't."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path


class Failed(Exception):
    """A program failed, or a part of the release does not fit; the message says what."""


def run(*command: str | Path, environ: Mapping[str, str] | None = None) -> None:
    """Runs ``command`` to its end. Raises Failed with the last of what it said."""
    done = subprocess.run(
        command,
        env=os.environ if environ is None else environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise Failed(f"{command[0]} ended with {done.returncode}:\n{done.stdout[-3000:]}")
