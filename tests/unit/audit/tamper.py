"""Edits, deletions and swaps in a log's file, and what they leave different."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Final, NamedTuple

from reactor.audit.schema import TRIGGERS, metadata

KEYS: Final = {
    "runs": ("id",),
    "entries": ("position",),
    "documents": ("digest",),
    "refs": ("document", "position"),
}
COLUMNS: Final = {
    table: tuple(column.name for column in metadata.tables[table].columns) for table in KEYS
}
Change = Callable[[sqlite3.Connection, random.Random], None]
Values = tuple[Any, ...]


class Operation(NamedTuple):
    """Something that someone who can write the file may do to it."""

    name: str
    change: Change


def unlocked(path: Path) -> None:
    """Do away with the triggers, as who doesn't mind them would."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for trigger in TRIGGERS:
            connection.execute(f"DROP TRIGGER {trigger}")
        connection.execute("PRAGMA journal_mode=DELETE")


def tampered(path: Path, operation: Operation, chance: random.Random) -> bool:
    """Do it; False when the schema refuses, or nothing is different afterwards."""
    before = contents(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("BEGIN")
        try:
            operation.change(connection, chance)
        except sqlite3.IntegrityError:
            return False
        connection.execute("COMMIT")
    return contents(path) != before


class Contents(NamedTuple):
    """Every value of a log with its type, rows in the order of their keys."""

    entries: list[Values]
    runs: dict[str, Values]
    documents: dict[str, Values]
    refs: set[tuple[str, str]]
    """Digest and position; where there is no such document, its number."""


def contents(path: Path) -> Contents:
    """Read all of it."""
    with closing(sqlite3.connect(path)) as connection:
        found = {}
        for table, key in KEYS.items():
            # Of a document's id only tells what refers to it.
            columns = [name for name in COLUMNS[table] if (table, name) != ("documents", "id")]
            names = ", ".join(f"quote({name})" for name in columns)
            connection.text_factory = lambda value: value.decode(errors="surrogateescape")
            found[table] = connection.execute(
                f"SELECT {names} FROM {table} ORDER BY {', '.join(key)}"
            ).fetchall()
        refs = connection.execute(
            "SELECT coalesce(quote(digest), 'number ' || quote(document)), quote(position)"
            " FROM refs LEFT JOIN documents ON id = document"
        ).fetchall()
    return Contents(
        found["entries"],
        {row[0]: row for row in found["runs"]},
        {row[0]: row for row in found["documents"]},
        set(refs),
    )


def first(before: Contents, after: Contents) -> tuple[str, ...]:
    """What a proof has to name, one of these: the first row, document or run that is different."""
    if before.entries != after.entries:
        for old, new in zip(before.entries, after.entries, strict=False):
            if old != new:
                return (_row(new),)
        if len(after.entries) > len(before.entries):
            return (_row(after.entries[len(before.entries)]),)
        # A tail is gone: the anchor tells, or what the rows left behind.
        left = {_row(row) for row in before.entries[len(after.entries) - 1 :]}
        return ("the anchor", *sorted(left | {_text(row[1]) for row in before.entries}))
    if before.runs != after.runs:
        runs = [
            run
            for run in sorted(before.runs | after.runs)
            if before.runs.get(run) != after.runs.get(run)
        ]
        known = [run for run in runs if run in before.runs]
        return (f"run {_text((known or runs)[0])}",)
    lost = {d for d in before.documents if before.documents[d] != after.documents.get(d)}
    gone = before.refs - after.refs
    for row in before.entries:
        position, joined = row[0], row[13][2:-1]
        for at in range(0, len(joined), 64):
            digest = f"X'{joined[at : at + 64]}'"
            if digest in lost:
                return (f"document {_text(digest)} of {_row(row)}",)
            if (digest, position) in gone:
                return (f"the reference of {_row(row)} to document {_text(digest)}",)
    named = {row[0]: _row(row) for row in before.entries}
    for digest, position in sorted(after.refs - before.refs, key=lambda ref: int(ref[1])):
        place = named.get(position, f"row at position {position}")
        return (f"the reference of {place} to document {_text(digest)}",)
    return tuple(
        f"document {_text(digest)}" for digest in after.documents.keys() - before.documents
    )


def _row(values: Values) -> str:
    if not values[1].startswith("'") or "\udcc3" in values[1] or values[2][:1] in "X'":
        return f"the row at position {values[0]}"
    return f"row {_text(values[1])}:{_text(values[2])}"


def _text(quoted: str) -> str:
    if quoted.startswith("X'"):
        return quoted[2:-1].lower()
    return quoted[1:-1].replace("''", "'") if quoted.startswith("'") else quoted


def _edit(table: str, column: str) -> Operation:
    def change(connection: sqlite3.Connection, chance: random.Random) -> None:
        row = _some(connection, table, chance)
        where, key = _by_key(table, row)
        value = _other(connection, table, column, row, chance)
        connection.execute(f"UPDATE {table} SET {column} = {value} WHERE {where}", key)

    return Operation(f"edit {table}.{column}", change)


def _delete(table: str) -> Operation:
    def change(connection: sqlite3.Connection, chance: random.Random) -> None:
        where, key = _by_key(table, _some(connection, table, chance))
        connection.execute(f"DELETE FROM {table} WHERE {where}", key)

    return Operation(f"delete from {table}", change)


def _swap(table: str) -> Operation:
    """Two rows exchange all but their keys (references: the documents that they are to)."""

    def change(connection: sqlite3.Connection, chance: random.Random) -> None:
        one, other = (_some(connection, table, chance) for _ in range(2))
        columns = COLUMNS[table]
        moved = ["document"] if table == "refs" else [c for c in columns if c not in KEYS[table]]
        if table == "documents":
            moved = ["body"]
        if table == "entries":
            # Uniqueness holds at every moment.
            connection.execute("UPDATE entries SET seq = -1 WHERE position = ?", one[:1])
        for row, new in ((other, one), (one, other)):
            where, key = _by_key(table, row)
            values = [new[columns.index(name)] for name in moved]
            connection.execute(
                f"UPDATE {table} SET {', '.join(f'{name} = ?' for name in moved)} WHERE {where}",
                (*values, *key),
            )

    return Operation(f"swap two of {table}", change)


def _add(table: str) -> Operation:
    """A row like another one, with a key of its own."""

    def change(connection: sqlite3.Connection, chance: random.Random) -> None:
        row = dict(zip(COLUMNS[table], _some(connection, table, chance), strict=True))
        if table == "entries":
            low, high = _one(connection, "SELECT min(position), max(position) FROM entries")
            row["position"] = chance.choice([low - 1, high + 1, 0, -7])
            row["seq"] = _one(connection, "SELECT max(seq) + 1 FROM entries")[0]
        elif table == "runs":
            row["id"] = chance.choice("0f") + str(row["id"])[1:]
        elif table == "documents":
            row.pop("id", None)
            row["digest"] = chance.randbytes(32)
        else:
            row["position"] = _some(connection, "entries", chance)[0] + chance.choice((0, 1000))
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(row.values()))

    return Operation(f"add to {table}", change)


def _remove_some(connection: sqlite3.Connection, chance: random.Random) -> None:
    """Neighbours, with what refers to documents from them."""
    low, high = _stretch(connection, chance)
    _remove(connection, "position BETWEEN ? AND ?", low, high)


def _remove_and_renumber(connection: sqlite3.Connection, chance: random.Random) -> None:
    """As if they never were."""
    low, high = _stretch(connection, chance)
    run, seq = _one(connection, "SELECT run, seq FROM entries WHERE position = ?", high)
    (gone,) = _one(
        connection,
        "SELECT count(*) FROM entries WHERE run = ? AND position BETWEEN ? AND ?",
        *(run, low, high),
    )
    _remove(connection, "position BETWEEN ? AND ?", low, high)
    # By way of negative numbers: keys are unique at every moment.
    connection.execute(
        "UPDATE entries SET seq = -(seq - ?) WHERE run = ? AND seq > ?", (gone, run, seq)
    )
    connection.execute("UPDATE entries SET seq = -seq WHERE seq < 0")
    for table in ("entries", "refs"):
        connection.execute(
            f"UPDATE {table} SET position = -(position - ?) WHERE position > ?",
            (high - low + 1, high),
        )
        connection.execute(f"UPDATE {table} SET position = -position WHERE position < 0")


def _cut_tail(connection: sqlite3.Connection, chance: random.Random) -> None:
    (high,) = _one(connection, "SELECT max(position) FROM entries")
    _remove(connection, "position > ?", high - chance.randint(1, 12))


def _remove_run(connection: sqlite3.Connection, chance: random.Random) -> None:
    """All of a run: its row, its entries, what they referred to."""
    run = _some(connection, "runs", chance)[0]
    _remove(connection, "run = ?", run)
    connection.execute("DELETE FROM runs WHERE id = ?", (run,))


def _remove_rows_of_run(connection: sqlite3.Connection, chance: random.Random) -> None:
    run = _some(connection, "runs", chance)[0]
    _remove(connection, "run = ?", run)


def _exchange_positions(connection: sqlite3.Connection, chance: random.Random) -> None:
    """Some rows in another order."""
    low, high = _stretch(connection, chance)
    places = list(range(low, high + 1))
    moved = places[1:] + places[:1]
    if chance.random() < 0.5:
        chance.shuffle(moved)
    for old, new in zip(places, moved, strict=True):
        connection.execute("UPDATE entries SET position = ? WHERE position = ?", (-new - 100, old))
    connection.execute("UPDATE entries SET position = -position - 100 WHERE position < -100")


def _remove(connection: sqlite3.Connection, where: str, *values: Any) -> None:
    connection.execute(
        f"DELETE FROM refs WHERE position IN (SELECT position FROM entries WHERE {where})",
        values,
    )
    connection.execute(f"DELETE FROM entries WHERE {where}", values)
    connection.execute("DELETE FROM documents WHERE id NOT IN (SELECT document FROM refs)")


def _stretch(connection: sqlite3.Connection, chance: random.Random) -> tuple[int, int]:
    """Some neighbours that the newest row isn't among."""
    low, high = _one(connection, "SELECT min(position), max(position) FROM entries")
    begin = chance.randint(low, high - 3)
    return begin, min(high - 1, begin + chance.randint(1, 6))


def _some(connection: sqlite3.Connection, table: str, chance: random.Random) -> Values:
    key = ", ".join(KEYS[table])
    found = connection.execute(
        f"SELECT {', '.join(COLUMNS[table])} FROM {table} ORDER BY {key}"
    ).fetchall()
    chosen: Values = chance.choice(found)
    return chosen


def _one(connection: sqlite3.Connection, sql: str, *values: Any) -> Values:
    found: Values = connection.execute(sql, values).fetchone()
    return found


def _by_key(table: str, row: Values) -> tuple[str, Values]:
    where = " AND ".join(f"{name} = ?" for name in KEYS[table])
    return where, tuple(row[COLUMNS[table].index(name)] for name in KEYS[table])


def _other(
    connection: sqlite3.Connection, table: str, column: str, row: Values, chance: random.Random
) -> str:
    """Another value of the kind, or of another one, as SQL."""
    old = row[COLUMNS[table].index(column)]
    options = ["NULL", f"{column} || 'x'", "CAST(X'C328' AS TEXT)", "''", "X''", "0", "7"]
    if isinstance(old, int):
        options += [
            f"{column} + 1",
            f"{column} - 1",
            f"-{column}",
            str(chance.randint(-9, 1 << 40)),
        ]
    if isinstance(old, str):
        options += [f"CAST({column} AS BLOB)", f"upper({column})", f"substr({column}, 2)"]
    if isinstance(old, bytes) and old:
        at = chance.randrange(len(old))
        flipped = old[:at] + bytes([old[at] ^ 1 << chance.randrange(8)]) + old[at + 1 :]
        options += [
            f"X'{flipped.hex()}'",
            f"X'{chance.randbytes(32).hex()}'",
            "X'" + "00" * 32 + "'",
        ]
    neighbour = _some(connection, table, chance)[COLUMNS[table].index(column)]
    options.append(_one(connection, "SELECT quote(?)", neighbour)[0])
    chosen: str = chance.choice(options)
    return chosen


OPERATIONS: Final = (
    *(_edit(table, column) for table, columns in COLUMNS.items() for column in columns),
    *(make(table) for make in (_delete, _swap, _add) for table in KEYS),
    Operation("remove neighbours", _remove_some),
    Operation("remove neighbours and renumber what follows", _remove_and_renumber),
    Operation("cut off the tail", _cut_tail),
    Operation("remove a run", _remove_run),
    Operation("remove the rows of a run", _remove_rows_of_run),
    Operation("exchange positions", _exchange_positions),
)
