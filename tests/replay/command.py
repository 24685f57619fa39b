"""`linkerd-smi replay` as a process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def replay(
    *arguments: str | Path, given: str | None = None, seconds: float = 90
) -> subprocess.CompletedProcess[str]:
    """Run it to its end; ``given`` is its standard input."""
    return subprocess.run(
        [sys.executable, "-m", "reactor.cli.extension", "replay", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
        input=given,
    )
