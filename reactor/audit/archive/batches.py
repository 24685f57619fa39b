"""Writes batches into the archive, each in one transaction; the same again changes nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

import asyncpg
from sqlalchemy import Table
from sqlalchemy.dialects import postgresql

from reactor.audit.archive import schema
from reactor.audit.archive.database import Connection
from reactor.audit.archive.source import Batch, Values

_NEWER: Final = """
ON CONFLICT (cluster, id) DO UPDATE SET
    ended = coalesce(runs.ended, excluded.ended),
    shipped = greatest(runs.shipped, excluded.shipped),
    position = greatest(runs.position, excluded.position),
    oldest = least(runs.oldest, excluded.oldest),
    newest = greatest(runs.newest, excluded.newest)
"""
_ENDED: Final = "UPDATE runs SET ended = $3 WHERE cluster = $1 AND id = $2 AND ended IS NULL"
_TERMS: Final = """
INSERT INTO terms (cluster, field, term, places, at, run, seq, namespace, kind, outcome, findings)
SELECT $1, term.field, term.term, term.places,
    told.at, told.run, told.seq, told.namespace, told.kind, told.outcome, told.findings
FROM unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::uuid[], $7::bigint[],
            $8::text[], $9::text[], $10::text[], $11::text[])
    AS told (fields, terms, places, at, run, seq, namespace, kind, outcome, findings),
    unnest(string_to_array(told.fields, ' '), string_to_array(told.terms, E'\\n'),
           string_to_array(told.places, ' ')::bigint[])
    AS term (field, term, places)
ON CONFLICT DO NOTHING
"""


async def join(connection: Connection, name: str, retention: float) -> int:
    """The cluster's number in this archive; a new one when it has none."""
    found: int = await connection.fetchval(
        "INSERT INTO clusters (name, retention) VALUES ($1, $2)"
        " ON CONFLICT (name) DO UPDATE SET retention = excluded.retention RETURNING id",
        name,
        int(retention),
    )
    return found


class Shipped(NamedTuple):
    """What the archive has of a local log: the newest seq of each run; all of the log's rows up
    to ``position``. ``log`` is the id of its first run there, None when it has nothing of it.
    """

    runs: dict[str, int]
    log: str | None
    position: int


async def shipped(connection: Connection, cluster: int, runs: Sequence[str]) -> Shipped:
    """As far as it knows one of these runs of the log."""
    found = await connection.fetch(
        "SELECT id::text, shipped, log::text FROM runs"
        " WHERE cluster = $1 AND id = ANY($2::uuid[]) ORDER BY id",
        *(cluster, runs),
    )
    if not found:
        return Shipped({}, None, 0)
    log = found[-1][2]
    position = await connection.fetchval(
        "SELECT max(position) FROM runs WHERE cluster = $1 AND log = $2", cluster, log
    )
    return Shipped({run: seq for run, seq, _ in found}, log, position)


async def lose(
    connection: Connection, cluster: int, run: str, position: int, rows: int, noticed: int
) -> bool:
    """Record that so many rows before the one at ``position`` are gone for good; False when that
    is known already.
    """
    said: str = await connection.execute(
        _insert(schema.losses), *_columns(cluster, [(run, position, rows, noticed)])
    )
    return said.endswith(" 1")


async def write(connection: Connection, cluster: int, log: str, batch: Batch) -> None:
    """All of a batch, or nothing."""
    reached = {run: (seq, position) for position, run, seq, *_ in batch.entries}
    times: dict[str, list[int]] = {run: [] for run in reached}
    for _, run, _, at, *_ in batch.entries:
        times[run].append(at)
    runs = [
        (*run, log, *reached[run[0]], min(times[run[0]]), max(times[run[0]]))
        for run in batch.runs
        if run[0] in reached
    ]
    ended = [(cluster, run[0], run[2]) for run in batch.runs if run[0] not in reached and run[2]]
    try:
        await _write(connection, cluster, batch, runs, ended, _copy)
    except asyncpg.UniqueViolationError:
        # Only after a failure, when it isn't known how the last commit went.
        await _write(connection, cluster, batch, runs, ended, _fill)


async def _write(
    connection: Connection,
    cluster: int,
    batch: Batch,
    runs: Sequence[Values],
    ended: Sequence[Values],
    entries: Callable[[Connection, int, Sequence[Values]], Awaitable[None]],
) -> None:
    async with connection.transaction():
        await connection.execute(_insert(schema.runs, _NEWER), *_columns(cluster, runs))
        for values in ended:
            await connection.execute(_ENDED, *values)
        for statement, rows in (
            (_insert(schema.documents), batch.documents),
            (_TERMS, batch.terms),
        ):
            if rows:
                await connection.execute(statement, *_columns(cluster, rows))
        await entries(connection, cluster, batch.entries)


async def _copy(connection: Connection, cluster: int, rows: Sequence[Values]) -> None:
    """The quick way, which fails when one of them is there."""
    await connection.copy_records_to_table(
        schema.entries.name,
        columns=schema.entries.columns.keys(),
        records=[(cluster, *row) for row in rows],
    )


async def _fill(connection: Connection, cluster: int, rows: Sequence[Values]) -> None:
    """Those that aren't there."""
    await connection.execute(_insert(schema.entries), *_columns(cluster, rows))


@cache
def _insert(table: Table, conflict: str = "ON CONFLICT DO NOTHING") -> str:
    """Rows as one array per column; all belong to the same cluster."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped
    rest = [column for column in table.columns if column.name != "cluster"]
    names = ", ".join(f'"{column.name}"' for column in rest)
    arrays = ", ".join(
        f"${number}::{column.type.compile(dialect)}[]" for number, column in enumerate(rest, 2)
    )
    return (
        f"INSERT INTO {table.name} (cluster, {names}) SELECT $1, * FROM unnest({arrays}) {conflict}"
    )


def _columns(cluster: int, rows: Sequence[Values]) -> tuple[Any, ...]:
    return (cluster, *zip(*rows, strict=True))
