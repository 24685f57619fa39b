"""Runs a journal on a small file system, of 2 MiB mostly, that is then filled or made read-only.

`unshare --user --map-root-user --mount python -m tests.unit.audit.small_disk SCENARIO DIRECTORY`
mounts it there, in a namespace of its own, and prints what happened as JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from migrations.__main__ import main as migrations
from reactor.audit.buffer import Bounds
from reactor.audit.chain import verify
from reactor.errors import Fatal
from tests.unit.audit.logs import FIRST_RELEASE, document, entry, eventually, journal, opened, rows

_SIZE = {"bare": 32 << 20}


def _mount(*arguments: str | Path) -> None:
    subprocess.run(["mount", *arguments], check=True)


def _fill(ballast: Path) -> None:
    descriptor = os.open(ballast, os.O_WRONLY | os.O_CREAT)
    try:
        while True:
            os.write(descriptor, bytes(4096))
    except OSError:
        os.close(descriptor)


async def _full(directory: Path) -> dict[str, Any]:
    """Filled under load; a burst of 20,000 rows of 1 KB while it is full; emptied again."""
    path, ballast = directory / "log.sqlite", directory / "ballast"
    async with opened(path, bounds=Bounds(rows=300, size=1 << 20)) as log:
        log.append(entry(name="before"))
        assert await log.commit()
        _fill(ballast)
        number = 0
        while log.degraded is None:
            log.append(entry(name=f"{number}", documents=(document(f"{number}" + "x" * 1000),)))
            number += 1
            await log.commit()
        reason = log.degraded
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.monotonic()
        for _ in range(20_000):
            log.append(entry(name=f"{number}", documents=(document(f"{number}" + "x" * 1000),)))
            number += 1
            await log.commit()
        took = time.monotonic() - began
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory
        lost = log.gaps
        ballast.unlink()
        await eventually(lambda: log.degraded is None and log.backlog == 0)
    ((kept,),) = rows(path, "SELECT count(*) FROM entries WHERE kind = 'translated'")
    gaps = [
        json.loads(detail)
        for (detail,) in rows(path, "SELECT detail FROM entries WHERE kind = 'gap'")
    ]
    return {
        "reason": reason,
        "seconds": took,
        "grown": grown,
        "appended": number + 1,
        "kept": kept,
        "lost": lost,
        "gaps": gaps,
        "integrity": rows(path, "PRAGMA integrity_check"),
        "problem": (await verify(str(path))).problem,
    }


async def _fresh(directory: Path) -> dict[str, Any]:
    """Full already when the journal starts; emptied later."""
    ballast = directory / "ballast"
    _fill(ballast)
    log = journal(directory / "log.sqlite")
    await log.open()
    reason = log.degraded
    log.append(entry())
    ballast.unlink()
    await eventually(lambda: log.degraded is None)
    durable = await log.commit()
    await log.close()
    return {"reason": reason, "durable": durable}


async def _older(directory: Path) -> dict[str, Any]:
    """Full when a log of the first release is opened; emptied later."""
    path, ballast = directory / "log.sqlite", directory / "ballast"
    shutil.copy(FIRST_RELEASE, path)
    _fill(ballast)
    log = journal(path)
    await log.open()
    reason = log.degraded
    ballast.unlink()
    await eventually(lambda: log.degraded is None)
    await log.close()
    return {
        "reason": reason,
        "schema": rows(path, "SELECT version_num FROM alembic_version"),
        "problem": (await verify(str(path))).problem,
    }


async def _bare(directory: Path) -> dict[str, Any]:
    """A log of the first release's form, and not a small one, where nothing else can be written."""
    path = directory / "log.sqlite"
    async with opened(path) as log:
        for number in range(1500):
            log.append(entry(name=f"{number}", documents=(document(f"{number}"),)))
        assert await log.commit()
    assert migrations(["downgrade", str(path), "0001"]) == 0
    os.environ.pop("TMPDIR", None)
    for place in ("/tmp", "/var/tmp"):
        # Not hidden: the program itself may lie there.
        _mount("--bind", place, place)
        _mount("-o", "remount,bind,ro,nosuid,nodev", place)
    os.chdir("/proc")
    async with opened(path) as log:
        reason = log.degraded
    return {"reason": reason, "problem": (await verify(str(path))).problem}


async def _readonly(directory: Path) -> dict[str, Any]:
    path = directory / "log.sqlite"
    async with opened(path):
        pass
    _mount("-o", "remount,ro", directory)
    try:
        async with opened(path):
            return {}
    except Fatal as error:
        return {"reason": str(error)}


if __name__ == "__main__":
    _mount("-t", "tmpfs", "-o", f"size={_SIZE.get(sys.argv[1], 2 << 20)}", "none", sys.argv[2])
    scenarios = (_full, _fresh, _older, _bare, _readonly)
    (scenario,) = [one for one in scenarios if one.__name__ == f"_{sys.argv[1]}"]
    print(json.dumps(asyncio.run(scenario(Path(sys.argv[2])))))
