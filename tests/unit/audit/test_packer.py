"""Terms of whole stretches of the log, packed, and forgotten with what retention removed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from reactor.audit.index.packer import pack, unpack
from reactor.audit.index.packs import PACK, common
from reactor.audit.index.schema import BLOCK, FIELDS, PACKS, TABLES


@pytest.fixture(name="index")
def _index() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as index:
        for statement in TABLES:
            index.execute(statement)
        index.execute("INSERT INTO progress VALUES (?, '', 0, 0)", (2 * PACK,))
        index.executemany(
            "INSERT INTO recent (position, kind, actor) VALUES (?, ?, ?)",
            [
                (
                    number,
                    f"kind-{number % 2}",
                    f"actor-{number // 10_000 if number < 2 * PACK else 3}",
                )
                for number in range(1, 2 * PACK + 1)
            ],
        )
        index.executemany(
            "INSERT INTO shapes VALUES (?, 'kind-0', '', 0, 0, 0, 0)",
            [("",), ("actor-0",), ("actor-1",), ("actor-3",)],
        )
        index.executemany(
            "INSERT INTO recent_findings VALUES ('Ünruhe \"x\"', ?)", [(7,), (PACK + 9,)]
        )
        yield index


def positions(index: sqlite3.Connection, field: str, term: str) -> list[int]:
    ((number,),) = index.execute(
        "SELECT id FROM terms WHERE field = ? AND term = ?", (field, term)
    ).fetchall()
    found = index.execute(
        "SELECT id, rows FROM packs WHERE id BETWEEN ? AND ? ORDER BY id",
        (number * PACKS, (number + 1) * PACKS - 1),
    )
    return [at % PACKS * PACK + offset for at, rows in found for offset in common([rows])]


def test_whole_stretches_are_packed_and_the_rest_stays(index: sqlite3.Connection) -> None:
    assert [pack(index) for _ in range(3)] == [True, True, False]
    assert positions(index, "kind", "kind-1") == list(range(1, 2 * PACK, 2))
    assert positions(index, "actor", "actor-1") == list(range(10_000, 20_000))
    assert positions(index, "finding", 'Ünruhe "x"') == [7, PACK + 9]
    assert index.execute("SELECT position FROM recent").fetchall() == [(2 * PACK,)]
    assert index.execute("SELECT * FROM recent_findings").fetchall() == []
    assert {field for (field,) in index.execute("SELECT field FROM terms")} < {*FIELDS, "finding"}


def test_what_retention_removed_is_forgotten_with_its_terms(index: sqlite3.Connection) -> None:
    while pack(index):
        pass
    for before in range(BLOCK, PACK, BLOCK):
        unpack(index, before)
    assert positions(index, "actor", "actor-0") == list(range(1, 10_000))
    unpack(index, PACK)
    assert positions(index, "actor", "actor-1") == list(range(PACK, 20_000))
    assert positions(index, "kind", "kind-0") == list(range(PACK, 2 * PACK, 2))
    assert index.execute("SELECT * FROM terms WHERE term = 'actor-0'").fetchall() == []
    # The newest row is the only one of its actor, and not packed yet.
    assert index.execute("SELECT actor FROM shapes").fetchall() == [
        ("",),
        ("actor-1",),
        ("actor-3",),
    ]
