"""Which pages of a file SQLite will read, told before it does."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

import pytest

from reactor.audit.query import ahead
from reactor.audit.query.ahead import Ahead, levels

_ROWS: Final = 20_000
_ASKED: Final = (1, 2, 77, 5_000, 5_001, 9_999, 12_345, 19_000, _ROWS)


def digest(number: int) -> bytes:
    return sha256(b"%d" % number).digest()


@pytest.fixture(name="file", scope="module", params=[4096, 8192])
def _file(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    path = tmp_path_factory.mktemp("ahead") / "file.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA page_size = {request.param}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN")
        connection.execute(
            "CREATE TABLE documents (id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, body)"
        )
        connection.executemany(
            "INSERT INTO documents VALUES (?, ?, ?)",
            # The largest number is one that takes nine bytes.
            (
                (number if number < _ROWS else 1 << 62, digest(number), f"body {number}." * 20)
                for number in range(1, _ROWS + 1)
            ),
        )
        connection.execute("COMMIT")
    return path


@pytest.fixture(name="connection")
def _connection(file: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        yield connection


class Pages:
    """Of a file that nobody writes to; ``taken`` are the numbers of those that were read."""

    def __init__(self, file: Path) -> None:
        self._bytes = file.read_bytes()
        self._size = int.from_bytes(self._bytes[16:18], "big")
        self.taken: list[int] = []

    def __call__(self, page: int) -> bytes:
        self.taken.append(page)
        return self.text([page])

    def text(self, pages: list[int]) -> bytes:
        return b"".join(self._bytes[(page - 1) * self._size : page * self._size] for page in pages)


def root(connection: sqlite3.Connection, name: str) -> int:
    sql = "SELECT rootpage FROM sqlite_master WHERE name = ?"
    return int(connection.execute(sql, (name,)).fetchone()[0])


def test_the_last_level_holds_the_rows(file: Path, connection: sqlite3.Connection) -> None:
    pages = Pages(file)
    keys = [number if number < _ROWS else 1 << 62 for number in _ASKED]
    found = [
        list(level) for level in levels(pages, root(connection, "documents"), keys, ahead.number)
    ]
    assert len(found) > 1
    assert all(b"body %d." % number in pages.text(found[-1]) for number in _ASKED)
    assert len(found[-1]) <= len(_ASKED)
    assert len(set(pages.taken) & set(found[-1])) == 1


def test_the_way_holds_the_digests(file: Path, connection: sqlite3.Connection) -> None:
    pages = Pages(file)
    keys = sorted(map(digest, _ASKED))
    place = root(connection, "sqlite_autoindex_documents_1")
    found = [list(level) for level in levels(pages, place, keys, ahead.digest)]
    assert len(found) > 1
    # Some are in a page above the last level, where they part others.
    held = pages.text([page for level in found for page in level])
    assert all(key in held for key in keys)


def test_what_is_asked_for_ahead_is_found_as_before(connection: sqlite3.Connection) -> None:
    hints = Ahead(connection)
    hints.rows("documents", _ASKED)
    hints.digests("documents", [digest(number) for number in _ASKED])
    hints.rows("nothing", _ASKED)
    hints.digests("nothing", [digest(number) for number in _ASKED])
    assert connection.execute("SELECT count(*) FROM documents").fetchone() == (_ROWS,)


def test_a_python_that_can_not_tell_what_is_in_memory_reads_without(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "RWF_NOWAIT")
    Ahead(connection).rows("documents", range(1, 20))


@pytest.mark.parametrize("first", [b"", b"\x05", b"\x02", bytes(4096)])
def test_a_file_that_is_no_table_leads_nowhere(first: bytes) -> None:
    page = first + sha256(b"noise").digest() * 128
    with suppress(IndexError):  # which is what whoever asks reckons with
        assert len(list(levels(lambda number: page, 2, [1, 2, 3], ahead.number))) <= 10
