"""Brings back a file that was deleted, or replaced, under the open handle."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from reactor.audit.engine import Connection


async def copy(connection: Connection, path: Path) -> Path:
    """Write a fresh file beside the place of the lost one. Raises sqlite3.Error or OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".fresh")
    await connection.run(_copy, fresh)
    return fresh


def place(fresh: Path, path: Path) -> None:
    """Give the fresh file its name; what else has it by now is kept, under another one.

    The lost file has to be closed before: closing it deletes PATH-wal, by that name.
    """
    if path.exists():
        path.replace(path.with_name(f"{path.name}.found-{path.stat().st_ino}"))
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    fresh.replace(path)
    _sync(path.parent)


def _copy(connection: sqlite3.Connection, fresh: Path) -> None:
    for suffix in ("", "-journal", "-wal", "-shm"):
        fresh.with_name(fresh.name + suffix).unlink(missing_ok=True)
    try:
        target = sqlite3.connect(fresh, isolation_level=None)
        try:
            target.execute("PRAGMA synchronous=FULL")
            connection.backup(target)
        finally:
            target.close()
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    _sync(fresh)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
