"""Where a run took place: numbers mean little without it."""

from __future__ import annotations

import datetime
import os
import platform
import sqlite3
import time
from importlib import metadata
from pathlib import Path

_PACKAGES = ("aiohttp", "aiosqlite", "kubernetes-asyncio", "msgspec", "sqlalchemy", "uvloop")


def describe(directory: Path) -> dict[str, object]:
    """Cores, load before the start, memory, versions, and how fast `directory`'s disk syncs."""
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "cores": len(os.sched_getaffinity(0)),
        "processor": _processor(),
        "load_before": [round(load, 2) for load in os.getloadavg()],
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "packages": {name: metadata.version(name) for name in _PACKAGES},
        "kubernetes": "1.36.3",
        "etcd": "3.6.8, with fsync",
        "fdatasync_per_second": round(fdatasyncs(directory, seconds=1.0)),
    }


def fdatasyncs(directory: Path, *, seconds: float) -> float:
    """How often a second a page can be appended and made durable, one after the other."""
    path = directory / "fdatasync-probe"
    handle = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        began = time.monotonic()
        count = 0
        while time.monotonic() - began < seconds:
            os.write(handle, bytes(4096))
            os.fdatasync(handle)
            count += 1
        return count / (time.monotonic() - began)
    finally:
        os.close(handle)
        path.unlink()


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
