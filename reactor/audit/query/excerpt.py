"""Rows of a log that lies elsewhere, in a file for one that reads them again and again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from reactor.audit import schema
from reactor.audit.query.batches import Recorded
from reactor.audit.query.records import Run
from reactor.audit.trouble import explain

_INDEXES: Final = ("entries_split", "entries_service")
"""Those by which batches are read."""
_COLUMNS: Final = ", ".join(Recorded._fields)
_MARKS: Final = ", ".join("?" * len(Recorded._fields))
# No row of it is proved: that is for the log itself.
_ROW: Final = f"INSERT INTO entries ({_COLUMNS}, hash) VALUES ({_MARKS}, zeroblob(32))"


class Excerpt:
    """A context; once that ends well, it can be read as a log's file. Raises ReactorError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = sqlite3.connect(path)
        # It is thrown away in the end, and made anew should it break.
        self._run("PRAGMA journal_mode=OFF")
        self._run("PRAGMA synchronous=OFF")
        dialect = sqlite.dialect()
        for table in (schema.runs, schema.entries, schema.documents):
            self._run(str(CreateTable(table).compile(dialect=dialect)))
        self._late = [
            str(CreateIndex(index).compile(dialect=dialect))
            for index in schema.entries.indexes
            if index.name in _INDEXES
        ]

    def add_runs(self, runs: Iterable[Run]) -> None:
        """What they said of themselves."""
        self._many(
            "INSERT INTO runs (id, started, ended, version, host, settings, cluster_domain)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    *(run.id, run.started, run.ended, run.version, run.host),
                    *(run.settings, run.cluster_domain),
                )
                for run in runs
            ],
        )

    def add(self, rows: Sequence[Recorded], documents: Sequence[tuple[bytes, str]]) -> None:
        """Rows behind those that are there, and documents, of which some may be there."""
        self._many("INSERT OR IGNORE INTO documents (digest, body) VALUES (?, ?)", documents)
        self._many(_ROW, rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                for statement in self._late:
                    self._run(statement)
                self._connection.commit()
        except sqlite3.Error as failed:
            raise explain(failed, self._path) from failed
        finally:
            self._connection.close()

    def _many(self, statement: str, values: Sequence[Any]) -> None:
        try:
            self._connection.executemany(statement, values)
        except sqlite3.Error as error:
            raise explain(error, self._path) from error

    def _run(self, statement: str) -> None:
        try:
            self._connection.execute(statement)
        except sqlite3.Error as error:
            raise explain(error, self._path) from error
