"""Runs migrations in a child process, so that alembic is never loaded beside a writer."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import reactor


async def upgrade(module: str, *arguments: str, **environ: str) -> str | None:
    """`python -m MODULE upgrade ARGUMENTS`; its last words when it failed, else None."""
    above = str(Path(reactor.__file__).parent.parent)
    inherited = os.environ.get("PYTHONPATH")
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", module, "upgrade", *arguments),
        env={
            **os.environ,
            **environ,
            "PYTHONPATH": f"{above}{os.pathsep}{inherited}" if inherited else above,
        },
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, said = await child.communicate()
    except BaseException:
        if child.returncode is None:
            child.kill()
            await child.wait()
        raise
    if not child.returncode:
        return None
    return (said.decode(errors="replace").strip().splitlines() or ["no message"])[-1]
