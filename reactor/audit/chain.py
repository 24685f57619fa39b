"""Proves that the log is as it was written, or names the first place where it isn't."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from functools import partial

import msgspec

from reactor.audit import engine
from reactor.audit.anchor import Anchor
from reactor.audit.broken import Broken
from reactor.audit.engine import Connection
from reactor.audit.pace import measured
from reactor.audit.strays import Strays
from reactor.audit.trouble import explain
from reactor.audit.walk import Walk

__all__ = ["Anchor", "Verdict", "verify"]


class Verdict(msgspec.Struct, frozen=True):
    """``problem`` names the first thing that is wrong, or is None. ``rows`` were proved;
    ``anchor`` is the newest proved row, to be kept elsewhere (None for an empty log).
    """

    rows: int
    problem: str | None = None
    anchor: Anchor | None = None


async def _at_once(worked: float) -> None:
    """Nobody else needs the process."""


def _step(part: Walk | Strays, connection: sqlite3.Connection) -> bool:
    """Prove some more in one go, since each hop to the thread takes its time; whether it ended."""
    if part.finish(connection):
        return True
    part.page(connection)
    return False


async def verify(
    url: str, *anchors: Anchor, rest: Callable[[float], Awaitable[None]] = _at_once
) -> Verdict:
    """Read the whole log. Raises ReactorError when it can't be read at all.

    It may be written to meanwhile; ``rest`` is awaited between pages, with the seconds of a core's
    time that the last one took. Without an anchor a cut-off tail can't be told from a log that
    ends there.
    """
    path = engine.location(url)
    try:
        connection = await Connection.open(engine.reader(path))
        try:
            walk, strays = Walk(*anchors), Strays()
            try:
                await connection.run(walk.begin)
                for part in (walk, strays):
                    done = False
                    while not done:
                        done, worked = await connection.run(measured, partial(_step, part))
                        if not done:
                            await rest(worked)
            except Broken as broken:
                return Verdict(walk.rows, str(broken), walk.reached)
            return Verdict(walk.rows, None, walk.reached)
        finally:
            await connection.close()
    except sqlite3.Error as error:
        raise explain(error, path) from error
