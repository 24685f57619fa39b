"""How the last sync of each service ended, and since when they end like that."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final

import msgspec

from reactor.audit import engine
from reactor.audit.engine import Connection
from reactor.audit.trouble import explain

_AT_ONCE: Final = 20
"""Services that are looked up together."""
_BACK: Final = 5000
"""Endings of one that are looked at: a canary's may all be alike."""
# The index has all that is asked of a row before it is read.
_SYNCED: Final = f"""
SELECT outcome, reconcile, at, split, detail FROM entries
WHERE service = ? AND namespace = ? AND kind = 'synced' ORDER BY position DESC LIMIT {_BACK}
"""


class LastEnd(msgspec.Struct, frozen=True):
    """The last one of a service; ``since`` is the time of the first one like it, as far as the log
    tells. Times are microseconds UTC.
    """

    namespace: str
    service: str
    outcome: str
    reconcile: str
    at: int
    since: int
    winner: str | None
    message: str
    seconds: float | None


class _Detail(msgspec.Struct):
    message: str = ""
    durations: dict[str, float] = {}


_detail = msgspec.json.Decoder(_Detail).decode

Alike = Callable[[str, str | None], object]
"""What an outcome, and the split that won, have in common with others."""


async def last_ends(
    url: str, services: Sequence[tuple[str, str]], *, alike: Alike
) -> AsyncIterator[list[LastEnd]]:
    """Of services by namespace and name, some at a time. Raises ReactorError."""
    path = engine.location(url)
    try:
        connection = await Connection.open(engine.reader(path))
        try:
            for at in range(0, len(services), _AT_ONCE):
                yield await connection.run(_ends, services[at : at + _AT_ONCE], alike)
        finally:
            await connection.close()
    except sqlite3.Error as error:
        raise explain(error, path) from error


def _ends(
    connection: sqlite3.Connection, services: Sequence[tuple[str, str]], alike: Alike
) -> list[LastEnd]:
    found = (_end(connection, namespace, service, alike) for namespace, service in services)
    return [end for end in found if end is not None]


def _end(
    connection: sqlite3.Connection, namespace: str, service: str, alike: Alike
) -> LastEnd | None:
    rows = connection.execute(_SYNCED, (service, namespace))
    last = rows.fetchone()
    if last is None:
        return None
    outcome, reconcile, at, winner, text = last
    since = at
    for earlier, _, time, won, _ in rows:
        if alike(earlier, won) != alike(outcome, winner):
            break
        since = time
    detail = _detail(text)
    return LastEnd(
        *(namespace, service, outcome, reconcile or "", at, since, winner),
        message=detail.message,
        seconds=detail.durations.get("total"),
    )
