"""Asks the system for the pages that SQLite is about to read, many at a time.

SQLite reads one page after the other, and a disk takes as long for a hundred of them as a hundred
times for one. What is told here are hints: whatever is wrong with them, the answer is the same.
"""

from __future__ import annotations

import os
import sqlite3
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Final

FEW: Final = 8
"""Keys from which on it is worth while."""
_SAMPLE: Final = 4
"""Keys by which it is told whether the pages are in memory already."""
_HEADER: Final = 100
"""Bytes of the file's own header, which the first page begins with."""
_INNER: Final = (2, 5)
"""Kinds of pages that lead to others: of an index, and of a table."""
_DIGEST: Final = 76
"""How a value of 32 bytes is announced in an index's cell."""

_DEPTH: Final = 10
"""Levels of a table that there are at most."""

Key = Callable[[bytes, int], Any]
"""From a page and the place of a cell in it to the cell's key."""


class Ahead:
    """For one connection, on its thread; ``schema`` is the file's name there."""

    def __init__(self, connection: sqlite3.Connection, schema: str = "main") -> None:
        self._connection = connection
        self._schema = schema
        self._file: int | None = None
        self._size = 0

    def rows(self, table: str, keys: Sequence[int]) -> None:
        """Of a table, by their integer keys."""
        sql = f"SELECT rootpage FROM {self._schema}.sqlite_master WHERE name = ?"
        self._ask(sql, table, keys, number)

    def digests(self, table: str, digests: Sequence[bytes]) -> None:
        """Where a table's index of digests has them."""
        self._ask(
            "SELECT rootpage FROM sqlite_master CROSS JOIN pragma_index_info(sqlite_master.name)"
            " WHERE type = 'index' AND tbl_name = ? AND seqno = 0"
            " AND pragma_index_info.name = 'digest'",
            *(table, digests, digest),
        )

    def _ask(self, sql: str, table: str, keys: Sequence[Any], key: Key) -> None:
        if len(keys) < FEW:
            return
        if self._size == 0:
            pragma = f"PRAGMA {self._schema}.page_size"
            (self._size,) = self._connection.execute(pragma).fetchone()
            for _, name, path in self._connection.execute("PRAGMA database_list").fetchall():
                if name == self._schema:
                    self._file = _descriptor(path)
        if self._file is None:
            return
        found = self._connection.execute(sql, (table,)).fetchone()
        wanted = sorted(keys)
        # By now the descriptor may be another file's; and not every file is read like this, nor by
        # every Python: of one made for an old C library RWF_NOWAIT is missing.
        with suppress(OSError, IndexError, ValueError, AttributeError, NotImplementedError):
            if found is not None and self._cold(self._file, found[0], wanted, key):
                self._advise(self._file, found[0], wanted, key)

    def _cold(self, file: int, root: int, keys: Sequence[Any], key: Key) -> bool:
        """Whether some of a few pages are not in memory."""

        def read(page: int) -> bytes:
            data = bytearray(self._size)
            os.preadv(file, [data], (page - 1) * self._size, os.RWF_NOWAIT)
            return bytes(data)

        try:
            for wanted in keys[:: -(-len(keys) // _SAMPLE)]:
                deque(levels(read, root, [wanted], key), maxlen=0)
        except BlockingIOError:
            return True
        return False

    def _advise(self, file: int, root: int, keys: Sequence[Any], key: Key) -> None:
        def read(page: int) -> bytes:
            return os.pread(file, self._size, (page - 1) * self._size)

        for level in levels(read, root, keys, key):
            for page in level:
                offset = (page - 1) * self._size
                os.posix_fadvise(file, offset, self._size, os.POSIX_FADV_WILLNEED)


def levels(
    read: Callable[[int], bytes], root: int, keys: Sequence[Any], key: Key
) -> Iterator[Sequence[int]]:
    """The pages on the way to these keys, which ascend: each level before it is read.

    Of the last one, which leads nowhere, only one page is.
    """
    level: dict[int, Sequence[Any]] = {root: keys}
    for _ in range(_DEPTH):
        yield [*level]
        below: dict[int, list[Any]] = {}
        for page, wanted in level.items():
            for one, child in _children(read(page), page, wanted, key):
                below.setdefault(child, []).append(one)
            if not below:
                return
        level = {**below}


def _children(data: bytes, page: int, keys: Sequence[Any], key: Key) -> Iterator[tuple[Any, int]]:
    """For each key, ascending, the page below this one that has it; nothing if there is none."""
    header = _HEADER if page == 1 else 0
    if data[header] not in _INNER:
        return
    cells, first = _short(data, header + 3), header + 12

    def told(cell: int) -> Any:
        return key(data, _short(data, first + 2 * cell))

    at = 0
    for wanted in keys:
        at = bisect_left(range(cells), wanted, lo=at, key=told)
        below = header + 8 if at == cells else _short(data, first + 2 * at)
        yield wanted, int.from_bytes(data[below : below + 4], "big")


def _short(data: bytes, at: int) -> int:
    return data[at] << 8 | data[at + 1]


def number(data: bytes, cell: int) -> int:
    """Behind the page that the cell leads to, seven bits a byte."""
    value = 0
    for at in range(cell + 4, cell + 12):
        value = value << 7 | data[at] & 0x7F
        if data[at] < 0x80:
            return value
    return value << 8 | data[cell + 12]


def digest(data: bytes, cell: int) -> bytes:
    """The first value of a record, whose header begins with its own length."""
    at = cell + 4
    while data[at] >= 0x80:
        at += 1
    at += 1
    if data[at + 1] != _DIGEST:
        raise ValueError("not an index of digests")
    at += data[at]
    return data[at : at + 32]


def _descriptor(path: str) -> int | None:
    """One by which SQLite has the file open; None where that isn't told.

    Not one of our own: closing it would take SQLite's locks away.
    """
    with suppress(OSError):
        wanted = os.stat(path)
        for name in os.listdir("/proc/self/fd"):
            with suppress(OSError):
                if os.path.samestat(os.fstat(int(name)), wanted):
                    return int(name)
    return None
