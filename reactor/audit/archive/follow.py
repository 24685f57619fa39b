"""Follows a cluster's rows as they are copied: each once, each run's in order.

Rows of several replicas come as each of them copies, so that no one place between them all says
what was seen. Each run has one writer, and its rows come in the order of seq.
"""

from __future__ import annotations

from collections.abc import Mapping
from heapq import merge
from typing import Final, NamedTuple

from reactor.audit.archive.database import Connection
from reactor.audit.row import COLUMNS, Row

_BATCH: Final = 1000
_RUNS: Final = "SELECT id::text, shipped, newest FROM runs WHERE cluster = $1"
_ROWS: Final = f"""
SELECT {", ".join(COLUMNS).replace("run,", "run::text,", 1)} FROM entries
WHERE cluster = $1 AND run = $2 AND seq > $3 AND seq <= $4 ORDER BY entries.seq LIMIT {_BATCH}
"""
_BEFORE: Final = """
SELECT seq FROM entries WHERE cluster = $1 AND run = $2 AND at <= $3
ORDER BY entries.seq DESC LIMIT 1
"""


class Place(NamedTuple):
    """How far each run was followed, by seq. It is only a value: what was asked for may be lost on
    its way back, and is asked for again.
    """

    seen: Mapping[str, int]


async def now(connection: Connection, cluster: int) -> Place:
    """Behind all that is there."""
    return Place({run: seq for run, seq, _ in await connection.fetch(_RUNS, cluster)})


async def behind(connection: Connection, cluster: int, run: str, seq: int) -> Place | None:
    """Behind a row, and in the other runs behind its time; None when there is no such row."""
    at = await connection.fetchval(
        "SELECT at FROM entries WHERE cluster = $1 AND run = $2 AND seq = $3",
        *(cluster, run, seq),
    )
    if at is None:
        return None
    seen: dict[str, int] = {}
    for other, shipped, newest in await connection.fetch(_RUNS, cluster):
        seen[other] = shipped
        if newest > at:
            seen[other] = await connection.fetchval(_BEFORE, cluster, other, at) or 0
    return Place({**seen, run: seq})


async def news(connection: Connection, cluster: int, place: Place) -> tuple[list[Row], Place]:
    """Rows that came since, some at a time, those of one run in order; and the place behind."""
    seen = dict(place.seen)
    found: list[list[Row]] = []
    for run, shipped, _ in await connection.fetch(_RUNS, cluster):
        before = seen.get(run, 0)
        if shipped <= before:
            continue
        values = await connection.fetch(_ROWS, cluster, run, before, shipped)
        found.append([Row(*row) for row in values])
        # Months that are gone aren't waited for.
        seen[run] = found[-1][-1].seq if values else shipped
    return list(merge(*found, key=lambda row: row.at)), Place(seen)
