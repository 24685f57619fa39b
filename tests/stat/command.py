"""Runs `linkerd-smi stat` as a user does."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Ended:
    """What it printed, and how it ended."""

    code: int
    out: str
    err: str

    def json(self) -> list[dict[str, Any]]:
        """What -o json printed."""
        found: list[dict[str, Any]] = json.loads(self.out)
        return found


async def stat(kubeconfig: Path, *arguments: str, **environ: str) -> Ended:
    """The command with these arguments."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-W", "error::DeprecationWarning", "-m", "reactor.cli.extension", "stat", *arguments),
        env={**os.environ, "KUBECONFIG": str(kubeconfig), **environ},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), 60)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return Ended(process.returncode or 0, out.decode(), err.decode())
