"""Counts the archive, by the ends of its indexes: nothing here reads all rows."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from reactor.audit.archive.database import Connection
from reactor.audit.buffer import GapDetail
from reactor.audit.query.archived import Archived, Cluster, Loss, Month, Writer
from reactor.audit.query.stats import GAPS, Hole, Stats

_SHOWN: Final = 20
"""Writers and losses that are told one by one: the newest."""

_RUNS: Final = """
SELECT count(*), coalesce(sum(last - first + 1), 0)::bigint FROM (
    SELECT (SELECT seq FROM entries WHERE cluster = $1 AND run = runs.id
            ORDER BY entries.seq LIMIT 1) AS first,
           (SELECT seq FROM entries WHERE cluster = $1 AND run = runs.id
            ORDER BY entries.seq DESC LIMIT 1) AS last
    FROM runs WHERE cluster = $1) AS ends
"""
# Those between two rows of a run, which its first and last seq count as there.
_LOST: Final = """
SELECT coalesce(sum(rows), 0)::bigint FROM losses WHERE cluster = $1 AND position > (
    SELECT position FROM entries WHERE cluster = $1 AND run = losses.run
    ORDER BY entries.seq LIMIT 1)
"""
_AT: Final = "SELECT at FROM entries WHERE cluster = $1 ORDER BY at {order} LIMIT 1"
_MONTHS: Final = """
SELECT substr(child.relname, length(parent.relname) + 2) AS month,
       sum(pg_total_relation_size(child.oid))::bigint,
       coalesce(sum(pg_stat_get_live_tuples(child.oid))
                FILTER (WHERE parent.relname = 'entries'), 0)::bigint,
       coalesce(sum(pg_total_relation_size(child.oid))
                FILTER (WHERE parent.relname = 'terms'), 0)::bigint
FROM pg_inherits JOIN pg_class AS parent ON parent.oid = inhparent
JOIN pg_class AS child ON child.oid = inhrelid
WHERE inhparent IN ('entries'::regclass, 'documents'::regclass, 'terms'::regclass)
GROUP BY month ORDER BY month
"""
_WRITERS: Final = f"""
SELECT id::text, host, newest FROM runs WHERE cluster = $1 AND ended IS NULL
ORDER BY newest DESC LIMIT {_SHOWN}
"""
_LOSSES: Final = f"""
SELECT run::text, position, rows, noticed FROM losses WHERE cluster = $1
ORDER BY noticed DESC LIMIT {_SHOWN}
"""
_CLUSTERS: Final = """
SELECT name, retention, (SELECT count(*) FROM runs WHERE cluster = clusters.id),
       (SELECT max(newest) FROM runs WHERE cluster = clusters.id)
FROM clusters ORDER BY name
"""
_GAPS: Final = f"""
SELECT run::text, seq, detail FROM entries AS e WHERE cluster = $1 AND kind = 'gap'
ORDER BY e.at DESC, e.run DESC, e.seq DESC LIMIT {GAPS}
"""


async def figures(connection: Connection, cluster: int, name: str) -> Stats:
    """Of a cluster; ``index_bytes`` are those of the words and findings."""
    runs, counted = await connection.fetchrow(_RUNS, cluster)
    lost = await connection.fetchval(_LOST, cluster)
    oldest = await connection.fetchval(_AT.format(order="ASC"), cluster)
    newest = await connection.fetchval(_AT.format(order="DESC"), cluster)
    months = await connection.fetch(_MONTHS)
    archived = Archived(
        cluster=name,
        rows=counted - lost,
        bytes=sum(size for _, size, _, _ in months),
        runs=runs,
        oldest=oldest,
        newest=newest,
        months=tuple(
            Month(f"{month[:-2]}-{month[-2:]}", rows, size) for month, size, rows, _ in months
        ),
        writers=tuple(Writer(*row) for row in await connection.fetch(_WRITERS, cluster)),
        losses=tuple(Loss(*row) for row in await connection.fetch(_LOSSES, cluster)),
        clusters=tuple(Cluster(*row) for row in await connection.fetch(_CLUSTERS)),
    )
    terms = sum(size for *_, size in months)
    return Stats(
        rows=archived.rows,
        bytes=archived.bytes - terms,
        index_bytes=terms,
        unindexed=0,
        runs=runs,
        oldest=oldest,
        newest=newest,
        holes=tuple(_hole(row) for row in await connection.fetch(_GAPS, cluster)),
        archive=archived,
    )


def _hole(values: Any) -> Hole:
    run, seq, detail = values
    gap = msgspec.json.decode(detail, type=GapDetail)
    return Hole(run, seq, gap.rows, gap.first, gap.last, gap.reason)
