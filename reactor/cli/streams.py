"""The standard streams, on which a command may rely, whatever its caller did with them."""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_STDIN, _STDOUT, _STDERR = range(3)


class Closed(Exception):
    """Whoever read the output has enough. click takes a BrokenPipeError for itself."""


class Unwritable(Exception):
    """The output can't be written: the disk is full, or stdout is closed."""


def prepare() -> None:
    """Open those that are closed, and have the others tell what became of a write."""
    for number in (_STDIN, _STDOUT, _STDERR):
        try:
            os.fstat(number)
        except OSError:
            # Else a file or a connection that is opened next gets the number, and what is printed.
            os.open(os.devnull, os.O_WRONLY if number == _STDERR else os.O_RDONLY)
    if sys.stdin is None:
        sys.stdin = open(_STDIN, closefd=False)  # noqa: SIM115 - as long as the process
    sys.stdout = _text(sys.stdout, _Answer(_STDOUT, "w", closefd=False))
    sys.stderr = _text(sys.stderr, _Remarks(_STDERR, "w", closefd=False), by_line=True)


def _text(before: TextIO | None, raw: io.FileIO, *, by_line: bool = False) -> io.TextIOWrapper:
    """In the encoding that Python chose."""
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=getattr(before, "encoding", None) or "utf-8",
        errors=getattr(before, "errors", None) or "backslashreplace",
        line_buffering=by_line or raw.isatty(),
    )


class _Answer(io.FileIO):
    """Fails once and in our own words; what comes after that is nobody's loss."""

    _failed = False

    def write(self, data: ReadableBuffer, /) -> int:
        if self._failed:
            return memoryview(data).nbytes
        try:
            return super().write(data)
        except BrokenPipeError as error:
            self._failed = True
            raise Closed from error
        except OSError as error:
            self._failed = True
            why = "it is closed" if error.errno == errno.EBADF else error.strerror or str(error)
            raise Unwritable(f"can't write to stdout: {why}") from error


class _Remarks(io.FileIO):
    """A remark that nobody can hear is no reason to give up the work."""

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except OSError:
            return memoryview(data).nbytes
