"""How the last sync of each service ended, and since when they end like that."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import partial
from typing import Final

import msgspec

from reactor.audit import engine
from reactor.audit.engine import Connection
from reactor.audit.pace import Pace, measured
from reactor.audit.trouble import explain

_AT_ONCE: Final = 5
"""Services that are looked up together."""
_BACK: Final = 8
"""Pages of endings of one that are looked at: a canary's may all be alike; and"""
_PAGE: Final = 250
"""how many are in one."""
_SYNCED: Final = "FROM entries WHERE service = ? AND namespace = ? AND kind = 'synced'"
_LAST: Final = f"""
SELECT position, outcome, reconcile, at, split, detail {_SYNCED} ORDER BY position DESC LIMIT 1
"""
# All in one row: SQLite's driver gives up the interpreter for each.
_EARLIER: Final = f"""
SELECT json_group_array(json_array(position, outcome, split, at)) FROM (
    SELECT position, outcome, split, at {_SYNCED} AND position < ?
    ORDER BY position DESC LIMIT {_PAGE}
)
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
_earlier = msgspec.json.Decoder(list[tuple[int, str, str | None, int]]).decode

Alike = Callable[[str, str | None], object]
"""What an outcome, and the split that won, have in common with others."""


async def last_ends(
    url: str, services: Sequence[tuple[str, str]], *, alike: Alike, pace: Pace
) -> AsyncIterator[list[LastEnd]]:
    """Of services by namespace and name, some at a time. Raises ReactorError."""
    path = engine.location(url)
    try:
        connection = await Connection.open(engine.reader(path))
        try:
            with pace.reading():
                for at in range(0, len(services), _AT_ONCE):
                    some = partial(_ends, services=services[at : at + _AT_ONCE], alike=alike)
                    ends, worked = await connection.run(measured, some)
                    yield ends
                    await pace.rest(worked)
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
    last = connection.execute(_LAST, (service, namespace)).fetchone()
    if last is None:
        return None
    position, outcome, reconcile, at, winner, text = last
    since, like = at, alike(outcome, winner)
    for earlier, won, time in _before(connection, namespace, service, position):
        if alike(earlier, won) != like:
            break
        since = time
    detail = _detail(text)
    return LastEnd(
        *(namespace, service, outcome, reconcile or "", at, since, winner),
        message=detail.message,
        seconds=detail.durations.get("total"),
    )


def _before(
    connection: sqlite3.Connection, namespace: str, service: str, position: int
) -> Iterator[tuple[str, str | None, int]]:
    """Outcome, winner and time of earlier ends, the newest first."""
    for _page in range(_BACK):
        (text,) = connection.execute(_EARLIER, (service, namespace, position)).fetchone()
        page = _earlier(text)
        for _, outcome, winner, at in page:
            yield outcome, winner, at
        if len(page) < _PAGE:
            return
        position = page[-1][0]
