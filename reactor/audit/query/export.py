"""Rows as text, many at a time: SQLite itself writes the JSON and the CSV, beside the event loop.

Per row that is a fifth of what Python takes, and none of it holds the interpreter.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final, Literal, NamedTuple, Protocol

from reactor.audit.query import pages
from reactor.audit.query.filters import Filters
from reactor.audit.query.where import conditions
from reactor.audit.row import DIGEST

Form = Literal["ndjson", "csv"]
"""In which rows are told."""
Format = Literal[Form, "bundle"]
"""A bundle is the rows as NDJSON, and before the first one that refers to it each document."""

COLUMNS: Final = (
    *("run", "seq", "at", "kind", "namespace", "split", "service", "outcome", "actor"),
    *("reconcile", "resource_version", "detail", "documents", "hash"),
)
"""What is told of a row, in this order."""

_ROWS: Final = 4000
"""Positions that are looked for at a time, and"""
_AT_ONCE: Final = 500
"""rows that become text at a time."""

_REMOVED: Final = "retention removed entries while they were being exported"

_KNOWN: Final = 100_000
"""Documents that a bundle has; beyond that some come again."""
_BODIES: Final = 50
"""Documents in memory."""

_AT: Final = (
    "strftime('%Y-%m-%dT%H:%M:%S', e.at / 1000000, 'unixepoch')"
    " || '.' || printf('%06d', e.at % 1000000) || 'Z'"
)
_DIGESTS: Final = f"""
CASE length(e.documents)
WHEN 0 THEN '[]'
WHEN {DIGEST} THEN '["' || lower(hex(e.documents)) || '"]'
ELSE (WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n
                               WHERE (i + 1) * {DIGEST} < length(e.documents))
      SELECT json_group_array(lower(hex(substr(e.documents, i * {DIGEST} + 1, {DIGEST})))) FROM n)
END
"""
_VALUES: Final = {
    **{column: f"e.{column}" for column in COLUMNS},
    "at": _AT,
    "documents": _DIGESTS,
    "hash": "lower(hex(e.hash))",
}
_JSON: Final = {
    "detail": "json(CASE WHEN json_valid(e.detail) THEN e.detail ELSE json_quote(e.detail) END)",
    "documents": f"json({_DIGESTS})",
}


def _object() -> str:
    fields = (f"'{column}', {_JSON.get(column, _VALUES[column])}" for column in COLUMNS)
    return f"json_object({', '.join(fields)}) || char(10)"


def _record() -> str:
    """RFC 4180: every field that could need it is in quotes."""
    fields = []
    for column in COLUMNS:
        value = _VALUES[column]
        if column in ("seq", "at", "run", "hash"):
            fields.append(value)
        else:
            fields.append(f"""coalesce('"' || replace({value}, '"', '""') || '"', '')""")
    comma = " || ',' || "
    return f"{comma.join(fields)} || char(13, 10)"


_LINES: Final[dict[Form, str]] = {"ndjson": _object(), "csv": _record()}


class Piece(NamedTuple):
    """Some rows as text, and how many they are."""

    text: str
    rows: int


def piece(
    connection: sqlite3.Connection, positions: Sequence[int], filters: Filters, form: Form
) -> Piece:
    """The rows at these positions that the columns don't rule out, the oldest first."""
    where, parameters = conditions(filters)
    text, count = connection.execute(
        f"SELECT group_concat(line, ''), count(*) FROM (SELECT {_LINES[form]} AS line"
        " FROM entries AS e WHERE e.position IN (SELECT value FROM json_each(?))"
        f"{where} ORDER BY e.position)",
        (json.dumps(positions), *parameters),
    ).fetchone()
    return Piece(text or "", int(count))


class Store(pages.Store, Protocol):
    """What an export needs of it."""

    async def piece(self, positions: Sequence[int], filters: Filters, form: Form) -> Piece:
        """As `piece`."""
        ...

    async def documents(self, digests: Sequence[bytes]) -> Mapping[bytes, str]:
        """Those of them that are there."""
        ...

    async def span(self, filters: Filters) -> pages.Span: ...


async def exported(store: Store, filters: Filters, form: Format) -> AsyncIterator[bytes]:
    """The whole text, in parts of about a mebibyte."""
    yield head(form).encode()
    told: Form = "csv" if form == "csv" else "ndjson"
    known: set[bytes] = set()
    rows = 0
    problem: str | None = None
    goes_on: int | None = None
    # Each part is a transaction of its own: a long one would let the WAL grow.
    async for positions, after in pages.everything(store, filters, most=_ROWS):
        if goes_on is not None and (await store.span(Filters())).low > goes_on:
            problem = _REMOVED
        goes_on = after
        for at in range(0, len(positions), _AT_ONCE):
            some = positions[at : at + _AT_ONCE]
            if form == "bundle":
                async for part in _documents(store, some, filters, known):
                    yield part
            found = await store.piece(some, filters, told)
            # A reader may be slow: these were there when they were looked for.
            if found.rows < len(some) and (await store.span(Filters())).low > some[0]:
                problem = _REMOVED
            rows += found.rows
            if found.text:
                yield found.text.encode()
    yield tail(form, rows, problem).encode()


async def _documents(
    store: Store, positions: Sequence[int], filters: Filters, known: set[bytes]
) -> AsyncIterator[bytes]:
    """Those that the rows refer to, one a line, unless they are known; then they are."""
    if len(known) > _KNOWN:
        known.clear()
    rows = await store.rows(positions, filters, down=False, most=None)
    fresh = sorted({digest for row in rows for digest in row.digests} - known)
    known.update(fresh)
    for at in range(0, len(fresh), _BODIES):
        found = await store.documents(fresh[at : at + _BODIES])
        yield "".join(
            f'{{"document": "{digest.hex()}", "object": {body}}}\n'
            for digest, body in found.items()
        ).encode()


def head(form: Format) -> str:
    """What comes before the first row."""
    return ",".join(COLUMNS) + "\r\n" if form == "csv" else ""


def tail(form: Format, rows: int, problem: str | None) -> str:
    """What comes behind the last row: whether these are all."""
    if form != "csv":
        told = {"export": "complete" if problem is None else "truncated", "rows": rows}
        return json.dumps(told if problem is None else {**told, "problem": problem}) + "\n"
    said = f"complete: {rows} rows" if problem is None else f"truncated after {rows}: {problem}"
    return f"# {' '.join(said.split())}\r\n"
