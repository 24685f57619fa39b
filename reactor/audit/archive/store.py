"""One cluster's rows in the archive, as a page needs them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from reactor.audit.archive.database import Connection
from reactor.audit.archive.lines import lines
from reactor.audit.archive.source import LONGEST_TERM
from reactor.audit.query.export import Format, Piece
from reactor.audit.query.filters import Filters
from reactor.audit.query.pages import Lead, Span
from reactor.audit.query.position import HIGHEST, begin, pack, unpack
from reactor.audit.query.sqlite import Run
from reactor.audit.row import COLUMNS, Row

_ROWS: Final = ", ".join(f"e.{column}" for column in COLUMNS[1:]).replace("e.run", "e.run::text")
# With the table's name: a bare `run` would be the text in the answer, which no index sorts.
_ORDER: Final = {True: "e.at DESC, e.run DESC, e.seq DESC", False: "e.at, e.run, e.seq"}
# Row comparisons use the index, but only a plain bound on `at` keeps other months out of it.
_WITHIN: Final = (
    "cluster = $1 AND at BETWEEN $2 AND $5"
    " AND (at, run, seq) >= ($2, $3::uuid, $4) AND (at, run, seq) <= ($5, $6::uuid, $7)"
)
_FREE: Final = 8
"""The first parameter behind those."""


class ArchiveStore:
    """One transaction on one connection; ``cluster`` is its number there."""

    def __init__(self, connection: Connection, *, cluster: int) -> None:
        self._connection = connection
        self._cluster = cluster
        self._rarest: dict[Filters, str] = {}

    async def span(self, filters: Filters) -> Span:
        edges = [
            await self._connection.fetchrow(
                f"SELECT at, run::text, seq FROM entries AS e WHERE cluster = $1"
                f" ORDER BY {_ORDER[down]} LIMIT 1",
                self._cluster,
            )
            for down in (False, True)
        ]
        if edges[0] is None:
            return Span(1, 0)
        span = Span(pack(*edges[0]), pack(*edges[1]))
        if filters.run is not None:
            found = await self._connection.fetchrow(
                "SELECT oldest, newest FROM runs WHERE cluster = $1 AND id::text = $2",
                *(self._cluster, filters.run),
            )
            if found is None:
                return Span(1, 0)
            span = span.part(begin(found[0]), begin(found[1] + 1) - 1)
        low = 0 if filters.since is None else begin(max(filters.since, 0))
        high = HIGHEST if filters.until is None else begin(max(filters.until, 0)) - 1
        return span.part(low, high)

    async def indexed(self) -> int:
        return HIGHEST

    async def count(self, lead: Lead, filters: Filters, span: Span, most: int) -> int:
        return len(await self.positions(lead, filters, span, down=True, most=most))

    async def positions(
        self, lead: Lead, filters: Filters, span: Span, *, down: bool, most: int
    ) -> Sequence[int]:
        if lead == "text":
            word = await self._word(filters, span)
            return await self._terms("word", word, span, down=down, most=most)
        if lead == "finding":
            assert filters.finding is not None
            return await self._terms("finding", filters.finding, span, down=down, most=most)
        if lead in ("split", "service"):
            return await self._named(lead, filters, span, down=down, most=most)
        if lead == "":
            return await self._select("entries", "", (), span, down=down, most=most)
        value = getattr(filters, lead)
        where = f" AND {lead} = ${_FREE}"
        return await self._select("entries", where, (value,), span, down=down, most=most)

    async def _select(
        self,
        table: str,
        where: str,
        values: Sequence[Any],
        span: Span,
        *,
        down: bool,
        most: int,
        order: str = "",
    ) -> list[int]:
        found = await self._connection.fetch(
            f"SELECT at, run::text, seq FROM {table} AS e WHERE {_WITHIN}{where}"
            f" ORDER BY {order}{_ORDER[down]} LIMIT {most}",
            *(self._cluster, *unpack(span.low), *unpack(span.high), *values),
        )
        return [pack(*key) for key in found]

    async def _terms(
        self, field: str, term: str, span: Span, *, down: bool, most: int
    ) -> list[int]:
        where = f" AND field = ${_FREE} AND term = ${_FREE + 1}"
        values = (field, term[:LONGEST_TERM])
        return await self._select("terms", where, values, span, down=down, most=most)

    async def _word(self, filters: Filters, span: Span) -> str:
        """Of the words asked for, the one with the fewest rows; the others are looked for there."""
        if filters not in self._rarest:
            wanted = filters.wanted()
            assert wanted is not None
            words = sorted({word for phrase in wanted.phrases for word in phrase})
            counts = [
                (len(await self._terms("word", word, span, down=True, most=500)), word)
                for word in words
            ]
            self._rarest[filters] = min(counts)[1]
        return self._rarest[filters]

    async def _named(
        self, lead: Lead, filters: Filters, span: Span, *, down: bool, most: int
    ) -> list[int]:
        """Positions in the index of a name, which has the namespace before the position."""
        name = getattr(filters, lead)
        where = f" AND {lead} = ${_FREE}"
        inside = f"{where} AND namespace = ${_FREE + 1}"
        if filters.namespace is not None:
            values = (name, filters.namespace)
            return await self._select("entries", inside, values, span, down=down, most=most)
        found = await self._select(
            "entries",
            f"{where} AND namespace IS NULL",
            (name,),
            span,
            down=down,
            most=most,
            # Unlike an equal one, a missing one counts in the index's order.
            order=f"e.namespace {'DESC' if down else 'ASC'}, ",
        )
        spaces = await self._connection.fetch(_SPACES.format(column=lead), self._cluster, name)
        for (namespace,) in spaces:
            values = (name, namespace)
            found += await self._select("entries", inside, values, span, down=down, most=most)
        return sorted(found, reverse=down)[:most]

    async def rows(
        self, positions: Sequence[int], filters: Filters, *, down: bool, most: int | None
    ) -> Sequence[Row]:
        where, values = _conditions(filters, 5)
        limit = "" if most is None else f" LIMIT {most}"
        ats, runs, seqs = zip(*map(unpack, positions), strict=True) if positions else ((),) * 3
        found = await self._connection.fetch(
            f"SELECT {_ROWS}"
            " FROM unnest($2::bigint[], $3::uuid[], $4::bigint[]) AS k (at, run, seq)"
            " JOIN entries AS e ON e.cluster = $1"
            " AND e.at = k.at AND e.run = k.run AND e.seq = k.seq"
            f" WHERE true{where} ORDER BY {_ORDER[down]}{limit}",
            *(self._cluster, ats, runs, seqs, *values),
        )
        return [_row(values) for values in found]

    async def piece(self, positions: Sequence[int], filters: Filters, form: Format) -> Piece:
        found = await self.rows(positions, filters, down=False, most=None)
        return Piece(lines(found, form), len(found))

    async def entry(self, run: str, seq: int) -> Row | None:
        found = await self._connection.fetchrow(
            f"SELECT {_ROWS} FROM entries AS e"
            " WHERE cluster = $1 AND run = $2::text::uuid AND seq = $3",
            *(self._cluster, run, seq),
        )
        return None if found is None else _row(found)

    async def documents(self, digests: Sequence[bytes]) -> dict[bytes, str]:
        found = await self._connection.fetch(
            "SELECT digest, body FROM documents WHERE cluster = $1 AND digest = ANY($2)",
            *(self._cluster, list(digests)),
        )
        return {bytes(digest): body for digest, body in found}

    async def document(self, digest: bytes) -> str | None:
        return (await self.documents([digest])).get(digest)

    async def runs(self) -> list[Run]:
        found = await self._connection.fetch(
            "SELECT id::text, started, ended, version, host, settings, cluster_domain,"
            " (SELECT min(seq) FROM entries WHERE cluster = $1 AND run = runs.id),"
            " (SELECT max(seq) FROM entries WHERE cluster = $1 AND run = runs.id)"
            " FROM runs WHERE cluster = $1 ORDER BY id DESC",
            self._cluster,
        )
        return [Run(*values) for values in found]


def _row(values: Sequence[Any]) -> Row:
    run, seq, at = values[:3]
    return Row(pack(at, run, seq), *values)


def _conditions(filters: Filters, first: int) -> tuple[str, list[Any]]:
    """What the columns of a row ``e`` have to be, beginning with AND."""
    where: list[str] = []
    values: list[Any] = []
    columns = {**filters.columns()}
    run = columns.pop("run", None)
    for condition, value in (
        *((f"e.{column} = ", value) for column, value in columns.items()),
        ("e.run::text = ", run),
        ("e.at >= ", filters.since),
        ("e.at < ", filters.until),
    ):
        if value is not None:
            where.append(f" AND {condition}${first + len(values)}")
            values.append(value)
    return "".join(where), values


# From one namespace straight to the next in the index.
_SPACES: Final = """
WITH RECURSIVE spaces (namespace) AS (
    SELECT min(namespace) FROM entries WHERE cluster = $1 AND {column} = $2
    UNION ALL
    SELECT (SELECT min(namespace) FROM entries
            WHERE cluster = $1 AND {column} = $2 AND namespace > spaces.namespace)
    FROM spaces WHERE spaces.namespace IS NOT NULL
)
SELECT namespace FROM spaces WHERE namespace IS NOT NULL
"""
