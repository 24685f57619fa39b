"""One writer per log: a lock beside the database, gone with the process that holds it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class Lock:
    """An exclusive lock on ``PATH.lock``. The file stays; only the lock on it counts."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(path.name + ".lock")
        self._descriptor: int | None = None

    @property
    def path(self) -> Path:
        """The file that is locked."""
        return self._path

    def take(self) -> bool:
        """Take it, or say that someone else holds it. Raises OSError."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not self._current(descriptor):
                raise BlockingIOError
        except BaseException as error:
            os.close(descriptor)
            if isinstance(error, BlockingIOError):
                return False
            raise
        self.release()
        self._descriptor = descriptor
        return True

    def held(self) -> bool:
        """Whether it is held, and on the file that has the name now."""
        return self._descriptor is not None and self._current(self._descriptor)

    def _current(self, descriptor: int) -> bool:
        mine = os.fstat(descriptor)
        try:
            named = self._path.stat()
        except OSError:
            return False
        return (mine.st_dev, mine.st_ino) == (named.st_dev, named.st_ino)

    def release(self) -> None:
        """Let it go."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
