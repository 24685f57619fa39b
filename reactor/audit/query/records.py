"""Runs, entries and documents of the log's file by their keys. Blocking."""

from __future__ import annotations

import sqlite3
from typing import Final

import msgspec

from reactor.audit.query.ahead import Ahead
from reactor.audit.row import COLUMNS, Row

ROWS: Final = f"SELECT {', '.join(f'e.{column}' for column in COLUMNS)} FROM entries AS e"


class Run(msgspec.Struct, frozen=True):
    """One row of ``runs``, with the seq of its oldest and its newest entry."""

    id: str
    started: int
    ended: int | None
    version: str
    host: str
    settings: str
    cluster_domain: str
    first: int | None
    last: int | None


def entry(connection: sqlite3.Connection, run: str, seq: int) -> Row | None:
    """One row of `entries`."""
    found = connection.execute(f"{ROWS} WHERE e.run = ? AND e.seq = ?", (run, seq)).fetchone()
    return None if found is None else Row(*found)


def document(connection: sqlite3.Connection, digest: bytes) -> str | None:
    """A body."""
    found = connection.execute("SELECT body FROM documents WHERE digest = ?", (digest,)).fetchone()
    return None if found is None else str(found[0])


def documents(connection: sqlite3.Connection, digests: tuple[bytes, ...]) -> dict[bytes, str]:
    """Those that are there, by digest."""
    found: dict[bytes, str] = {}
    ahead = Ahead(connection)
    for start in range(0, len(digests), 500):
        piece = digests[start : start + 500]
        ahead.digests("documents", piece)
        marks = ", ".join("?" * len(piece))
        ids = [
            number
            for (number,) in connection.execute(
                f"SELECT id FROM documents WHERE digest IN ({marks})", piece
            )
        ]
        ahead.rows("documents", ids)
        marks = ", ".join("?" * len(ids))
        found.update(
            connection.execute(f"SELECT digest, body FROM documents WHERE id IN ({marks})", ids)
        )
    return found


def runs(connection: sqlite3.Connection) -> list[Run]:
    """All, newest first."""
    return [
        Run(*found)
        for found in connection.execute(
            "SELECT id, started, ended, version, host, settings, cluster_domain,"
            " (SELECT min(seq) FROM entries WHERE run = runs.id),"
            " (SELECT max(seq) FROM entries WHERE run = runs.id) FROM runs ORDER BY id DESC"
        )
    ]
