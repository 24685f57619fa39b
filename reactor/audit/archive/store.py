"""One cluster's rows in the archive, as a page needs them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from reactor.audit.archive.database import Connection
from reactor.audit.archive.lines import lines
from reactor.audit.archive.rule import TERMS, Rule, merged, words
from reactor.audit.archive.schema import WAYS
from reactor.audit.archive.terms import clipped
from reactor.audit.query.export import Form, Piece
from reactor.audit.query.filters import Filters
from reactor.audit.query.pages import Found, Lead, Span
from reactor.audit.query.position import HIGHEST, begin, pack, packed, unpack
from reactor.audit.query.records import Run
from reactor.audit.row import COLUMNS, Row

_ROWS: Final = ", ".join(f"e.{column}" for column in COLUMNS[1:]).replace("e.run", "e.run::text")
# With the table's name: a bare `run` would be the text in the answer, which no index sorts.
_ORDER: Final = {True: "e.at DESC, e.run DESC, e.seq DESC", False: "e.at, e.run, e.seq"}
# In the order in which they are asked for: behind the limit none is read. OFFSET lets no other
# condition lead to another index, and bounds on `at` keep other months out of it.
_KEYED: Final = f"""
SELECT {_ROWS}
FROM unnest($2::bigint[], $3::uuid[], $4::bigint[]) WITH ORDINALITY AS k (at, run, seq, number)
CROSS JOIN LATERAL (
    SELECT * FROM entries AS e WHERE e.cluster = $1 AND e.at = k.at AND e.run = k.run
    AND e.seq = k.seq AND e.at BETWEEN $5 AND $6 OFFSET 0
) AS e WHERE true
"""
_EDGES: Final = " UNION ALL ".join(
    f"(SELECT at, run, seq FROM entries AS e WHERE cluster = $1 ORDER BY {_ORDER[down]} LIMIT 1)"
    for down in (False, True)
)
# Row comparisons use the index, but only a plain bound on `at` keeps other months out of it.
_WITHIN: Final = (
    "cluster = $1 AND at BETWEEN $2 AND $5"
    " AND (at, run, seq) >= ($2, $3::uuid, $4) AND (at, run, seq) <= ($5, $6::uuid, $7)"
)
_FREE: Final = 8
"""The first parameter behind those."""
_PROBE: Final = 500
"""Rows up to which one word is told from another."""
_ASKING: Final = 10
"""Entries of an index that cost as much as asking for one row's term."""


class _Way(NamedTuple):
    """How positions are found: in a table's index that begins with the keys, one scan for each of
    the ``branches``, and ``columns`` that it has besides; ``term`` is what all rows there say.
    """

    table: str
    branches: Sequence[Mapping[str, str]]
    columns: Sequence[str]
    term: tuple[str, str] | None = None


class ArchiveStore:
    """One transaction on one connection; ``cluster`` is its number there."""

    def __init__(self, connection: Connection, *, cluster: int) -> None:
        self._connection = connection
        self._cluster = cluster
        self._ways: dict[tuple[Lead, Filters], _Way] = {}
        self._ranked: dict[Filters, list[str]] = {}

    async def span(self, filters: Filters) -> Span:
        edges = await self._connection.fetch(_EDGES, self._cluster)
        if not edges:
            return Span(1, 0)
        span = Span(*(packed(*edge) for edge in edges))
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
        """More than ``most`` are an estimate."""
        way = await self._way(lead, filters, span)
        found = 0
        for keys in way.branches:
            found += await self._about(way.table, keys, span, most)
        # A word's index has the findings too.
        told = filters.text if lead == "finding" else filters.text or filters.finding
        return found * _ASKING if told is not None and lead != "text" else found

    async def positions(
        self, lead: Lead, filters: Filters, span: Span, *, down: bool, most: int
    ) -> Found:
        way = await self._way(lead, filters, span)
        rule = Rule.of(filters, way.columns, asked=way.term, ranked=self._ranked.get(filters, ()))
        return merged(
            [
                await self._scan(way.table, keys, rule, span, down=down, most=most)
                for keys in way.branches
            ],
            down=down,
            most=most,
        )

    async def _way(self, lead: Lead, filters: Filters, span: Span) -> _Way:
        if (lead, filters) not in self._ways:
            self._ways[lead, filters] = await self._found(lead, filters, span)
        return self._ways[lead, filters]

    async def _found(self, lead: Lead, filters: Filters, span: Span) -> _Way:
        if lead == "text":
            self._ranked[filters] = await self._words(filters, span)
            word = self._ranked[filters][0]
            return _Way("terms", [{"field": "word", "term": word}], TERMS, ("word", word))
        if lead == "finding":
            assert filters.finding is not None
            finding = clipped(filters.finding)
            keys = {"field": "finding", "term": finding}
            return _Way("terms", [keys], TERMS, ("finding", finding))
        if lead == "":
            return _Way("entries", [{}], ())
        bare = lead in ("split", "service") and filters.namespace is None
        name = f"{lead}_at" if bare else lead
        if filters.split and filters.actor and not filters.namespace and lead in ("split", "actor"):
            name = "split_actor"
        first, within, _ = WAYS[name]
        given = filters.columns()
        keys = {column: given[column] for column in first if column in given}
        branches = [keys]
        if len(keys) < len(first):
            # From one kind straight to the next: there are few.
            kinds = await self._connection.fetch(
                _KINDS.format(column=lead), self._cluster, given[lead]
            )
            branches = [{**keys, "kind": kind} for (kind,) in kinds]
        return _Way("entries", branches, within)

    async def _scan(
        self,
        table: str,
        keys: Mapping[str, str],
        rule: Rule,
        span: Span,
        *,
        down: bool,
        most: int,
    ) -> Found:
        """The next rows of an index that fit, or as far as can be looked at once."""
        where, values = self._within(keys, span)
        look = rule.look(most)
        fits, more = rule.sql(len(values) + 1)
        found = await self._connection.fetch(
            "SELECT at, run, seq, fits, number FROM"
            " (SELECT at, run, seq, fits, row_number() OVER () AS number FROM"
            f" (SELECT at, run, seq, {fits} AS fits FROM {table} AS e"
            f" WHERE {where} ORDER BY {_ORDER[down]} LIMIT {look}) AS looked) AS counted"
            f" WHERE fits OR number = {look} LIMIT {most}",
            *(*values, *more),
        )
        last = None
        if found and (len(found) == most or found[-1][4] == look):
            last = packed(*found[-1][:3])
        return Found([packed(*row[:3]) for row in found if row[3]], last)

    async def _about(self, table: str, keys: Mapping[str, str], span: Span, most: int) -> int:
        """How many there are; of more than ``most``, an estimate by the newest ones."""
        where, values = self._within(keys, span)
        count, reached = await self._connection.fetchrow(
            f"SELECT count(*), min(at) FROM (SELECT at FROM {table} AS e WHERE {where}"
            f" ORDER BY {_ORDER[True]} LIMIT {most}) AS newest",
            *values,
        )
        if count < most:
            return int(count)
        low, high = unpack(span.low).at, unpack(span.high).at
        return int(count * max(high - low, 1) // max(high - reached, 1))

    def _within(self, keys: Mapping[str, str], span: Span) -> tuple[str, list[Any]]:
        """The condition that an index begins with, and its parameters."""
        values: list[Any] = [self._cluster, *unpack(span.low), *unpack(span.high)]
        where = "".join(f" AND {key} = ${number}" for number, key in enumerate(keys, _FREE))
        return _WITHIN + where, [*values, *keys.values()]

    async def _words(self, filters: Filters, span: Span) -> list[str]:
        """Those asked for, the one with the fewest rows first: the others are looked for there."""
        counts = []
        for word in words(filters):
            keys = {"field": "word", "term": word}
            counts.append((await self._about("terms", keys, span, _PROBE), word))
        return [word for _, word in sorted(counts)]

    async def rows(
        self, positions: Sequence[int], filters: Filters, *, down: bool, most: int | None
    ) -> Sequence[Row]:
        if not positions:
            return []
        where, values = _conditions(filters, 7)
        limit = "" if most is None else f" LIMIT {most}"
        ats, runs, seqs = zip(*map(unpack, positions), strict=True)
        found = await self._connection.fetch(
            f"{_KEYED}{where} ORDER BY k.number{limit}",
            *(self._cluster, ats, runs, seqs, min(ats), max(ats), *values),
        )
        return [_row(values) for values in found]

    async def piece(self, positions: Sequence[int], filters: Filters, form: Form) -> Piece:
        found = await self.rows(positions, filters, down=False, most=None)
        return Piece(lines(found, form), len(found))

    async def entry(self, run: str, seq: int) -> Row | None:
        try:
            run = str(UUID(run))
        except ValueError:
            return None
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


_KINDS: Final = """
WITH RECURSIVE kinds (kind) AS (
    SELECT min(kind) FROM entries WHERE cluster = $1 AND {column} = $2
    UNION ALL
    SELECT (SELECT min(kind) FROM entries
            WHERE cluster = $1 AND {column} = $2 AND kind > kinds.kind)
    FROM kinds WHERE kinds.kind IS NOT NULL
)
SELECT kind FROM kinds WHERE kind IS NOT NULL
"""
