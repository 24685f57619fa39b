"""What a database error means to an operator: words, and whether waiting can mend it."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path

from reactor.errors import Fatal, ReactorError

_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_TIGHT = 256 * 1024
"""Bytes free below which a failed write is blamed on the disk being full."""


class Unavailable(ReactorError):
    """The database can't be used now; the message says why. Trying again may help."""


class Crowded(ReactorError):
    """Too many ask already; after ``wait`` seconds there may be room."""

    def __init__(self, message: str, *, wait: int) -> None:
        super().__init__(message)
        self.wait = wait


def explain(error: sqlite3.Error, path: Path) -> Unavailable | Fatal:
    """The error in one line that names what to do.

    `Fatal` is what no waiting mends: damaged, read-only, can't be opened. A caller that is
    already serving shows its message and goes on trying.
    """
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _BUSY:
        return Unavailable(f"audit database {path} is locked by another program; waiting for it")
    if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and full(path)):
        return Unavailable(f"the disk of audit database {path} is full; make room on it")
    if code in _DAMAGED:
        return Fatal(
            f"audit database {path} is damaged or no SQLite database ({error}); "
            "restore it, or move it away to begin a new one"
        )
    if code == sqlite3.SQLITE_READONLY:
        return Fatal(f"audit database {path} is read-only; make it writable, or set -audit-url")
    if code == sqlite3.SQLITE_CANTOPEN:
        return Fatal(f"audit database {path} can't be opened; check the path and its permissions")
    return Unavailable(f"audit database {path}: {error}; trying again")


def refused(error: OSError, path: Path) -> Unavailable | Fatal:
    """The same for an error of the file system."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Unavailable(f"the disk of audit database {path} is full; make room on it")
    return Fatal(
        f"audit database {path} can't be written: {error.strerror or error}; "
        "make its directory writable, or set -audit-url"
    )


def full(path: Path) -> bool:
    """Whether the file system that holds ``path`` has next to nothing left."""
    try:
        found = os.statvfs(path.parent)
    except OSError:
        return False
    return found.f_blocks > 0 and found.f_bavail * found.f_frsize < _TIGHT
