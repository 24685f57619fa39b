"""A file that is there whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reactor.errors import Fatal


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """A file beside ``path`` that takes its place when this ends well, synced; else it goes."""
    try:
        number, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(number)
    except OSError as error:
        raise Fatal(f"{path}: can't be written: {error.strerror or error}") from error
    fresh = Path(name)
    try:
        yield fresh
        _sync(fresh)
        fresh.replace(path)
        _sync(path.parent)
    except OSError as error:
        raise Fatal(f"{path}: can't be written: {error.strerror or error}") from error
    finally:
        for suffix in ("", "-wal", "-shm", "-journal"):
            with contextlib.suppress(OSError):
                fresh.with_name(fresh.name + suffix).unlink()


def _sync(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


@contextmanager
def passing(beside: Path) -> Iterator[Path]:
    """A file beside this one, for the time of the block."""
    with tempfile.TemporaryDirectory(prefix=".backup.", dir=beside.parent) as folder:
        yield Path(folder) / beside.name
