"""An archive with a long log, many times as fast as it is shipped: for measuring questions."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from reactor.audit.archive import batches, database, schema
from reactor.audit.archive.months import Month
from reactor.audit.archive.terms import told
from tests.archive.fixtures import migrate
from tests.archive.postgres import Postgres
from tests.bench.biglog import BigLog
from tests.cluster.crds import REPOSITORY

DATABASE: Final = "long"
CLUSTER: Final = "bench"
OPTIONS: Final = {
    "shared_buffers": "256MB",
    "maintenance_work_mem": "512MB",
    "max_wal_size": "4GB",
    # Rows that are copied into a table of the same transaction are written once.
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
_LOADING: Final = 3600.0

_ENTRIES: Final = "SELECT {} FROM entries ORDER BY position"
# The limit keeps the order, which is that of the months.
_DOCUMENTS: Final = """
SELECT digest, at, body
FROM (SELECT id, (SELECT at FROM refs JOIN entries USING (position) WHERE document = d.id) AS at
      FROM documents AS d ORDER BY at LIMIT -1) AS dated
CROSS JOIN documents USING (id)
"""
_RUNS: Final = """
SELECT id, started, ended, version, host, settings, cluster_domain, min(runs.id) OVER (),
    max(seq), max(position), min(at), max(at)
FROM runs JOIN entries ON run = id GROUP BY id
"""

Rows = Iterator[tuple[Any, ...]]


@contextmanager
def archived(log: BigLog, folder: Path, *, stretch: int = 1) -> Iterator[tuple[Postgres, bool]]:
    """A server that has all of the log, and whether it was filled just now; see `fill`.

    What is in the folder is kept, as long as it is made in the same way.
    """
    name = f"archive-{log.path.stem}-{stretch}-"
    data = folder / f"{name}{_way()}"
    whole = data / "whole"
    if fresh := not whole.exists():
        # Also what was made in another way: it takes a disk's worth.
        for old in folder.glob(f"{name}*"):
            shutil.rmtree(old)
    postgres = Postgres(folder=data, options=OPTIONS)
    try:
        postgres.start()
        if fresh:
            asyncio.run(fill(postgres, log.path, stretch=stretch))
            whole.touch()
        yield postgres, fresh
    finally:
        postgres.close()


def _way() -> str:
    migrations = REPOSITORY / "migrations" / "archive" / "versions"
    files = (Path(__file__), *sorted(migrations.glob("*.py")))
    return sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


async def fill(postgres: Postgres, log: Path, *, stretch: int = 1) -> None:
    """Make the database, of all rows of the log; ``stretch`` is how many times as long it lasts."""
    await postgres.run(f"CREATE DATABASE {DATABASE}")
    url = postgres.url(DATABASE)
    await asyncio.to_thread(migrate, url)
    archive = await database.connect(url, patience=_LOADING)
    with closing(sqlite3.connect(f"file:{log}?mode=ro", uri=True)) as connection:
        cluster = await batches.join(archive, CLUSTER, 100 * 365 * 86400.0)
        begin: int = connection.execute("SELECT min(at) FROM entries").fetchone()[0]

        def moved(at: int) -> int:
            return begin + (at - begin) * stretch

        rows: dict[str, Rows] = {
            "entries": _entries(connection, cluster, moved),
            "terms": _terms(connection, cluster, moved),
            "documents": _documents(connection, cluster, moved),
        }
        for table, found in rows.items():
            at = list(schema.metadata.tables[table].columns.keys()).index("at")
            for month, part in groupby(found, lambda row, at=at: Month.of(row[at])):  # type: ignore[misc]  # a default is no argument
                await _copy(archive, table, month, part)
        runs = [
            (cluster, *run[:-2], moved(run[-2]), moved(run[-1]))
            for run in connection.execute(_RUNS)
        ]
        await archive.copy_records_to_table("runs", records=runs)
    await archive.execute("VACUUM ANALYZE")
    await archive.close()


async def _copy(archive: Any, table: str, month: Month, rows: Rows) -> None:
    """A month as a table of its own, which gets its indexes once its rows are there."""
    name = f"{table}_{month}"
    async with archive.transaction():
        await archive.execute(f"CREATE TABLE {name} (LIKE {table} INCLUDING CONSTRAINTS)")
        await archive.copy_records_to_table(name, records=rows)
        await archive.execute(
            f"ALTER TABLE {table} ATTACH PARTITION {name}"
            f" FOR VALUES FROM ({month.begin}) TO ({month.next.begin})"
        )


def _entries(connection: sqlite3.Connection, cluster: int, moved: Callable[[int], int]) -> Rows:
    columns = schema.entries.columns.keys()[1:]
    at = columns.index("at")
    for row in connection.execute(_ENTRIES.format(", ".join(columns))):
        yield cluster, *row[:at], moved(row[at]), *row[at + 1 :]


def _terms(connection: sqlite3.Connection, cluster: int, moved: Callable[[int], int]) -> Rows:
    columns = "detail, at, run, seq, namespace, kind, outcome"
    for detail, at, run, seq, *rest in connection.execute(_ENTRIES.format(columns)):
        if (found := told(detail)) is not None:
            for field, term, places in found.terms:
                yield (
                    *(cluster, field, term, moved(at), run, seq),
                    *(*rest, found.findings, places),
                )


def _documents(connection: sqlite3.Connection, cluster: int, moved: Callable[[int], int]) -> Rows:
    for digest, at, body in connection.execute(_DOCUMENTS):
        yield cluster, digest, Month.of(moved(at)).begin, body
