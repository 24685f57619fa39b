"""Journals and rows that the tests of the audit log share."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from hashlib import sha256
from pathlib import Path
from typing import Any

from reactor.audit.buffer import Bounds
from reactor.audit.entry import Entry, Kind
from reactor.audit.journal import Journal, microseconds
from reactor.audit.retention import Retention
from reactor.model.meta import Document

FIRST_RELEASE = Path(__file__).parents[2] / "corpus" / "lifecycle.sqlite"
"""A log as the first release wrote it."""


def document(text: str) -> Document:
    """An object of its own."""
    body = f'{{"spec":"{text}"}}'.encode()
    return Document(sha256(body).digest(), body)


def entry(kind: Kind = "translated", name: str = "web", **fields: Any) -> Entry:
    """A row about the service ``name``."""
    given: dict[str, Any] = {
        "at": microseconds(),
        "namespace": "default",
        "service": name,
        **fields,
    }
    return Entry(kind=kind, **given)


def journal(path: Path, **settings: Any) -> Journal:
    """A journal that isn't open yet."""
    given: dict[str, Any] = {
        "url": str(path),
        "version": "1.2.3",
        "host": "node",
        "settings": {"orphans": "delete"},
        "cluster_domain": "cluster.local",
        "retention": Retention(),
        **settings,
    }
    return Journal(**given)


@asynccontextmanager
async def opened(path: Path, **settings: Any) -> AsyncIterator[Journal]:
    """A journal, open for the time of the block."""
    found = journal(path, **settings)
    await found.open()
    try:
        yield found
    finally:
        await found.close()


async def crash(dying: Journal) -> None:
    """End it as kill -9 would: nothing more is written, the lock is free."""
    assert dying._writer is not None
    dying._writer.cancel()
    await asyncio.wait({dying._writer})
    dying._keeper.release()


def rows(path: Path, sql: str, *parameters: object) -> list[Any]:
    """What a query gives, on a connection of its own."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql, parameters).fetchall()


async def eventually(condition: Callable[[], bool], seconds: float = 45.0) -> None:
    """Wait for something that other tasks and threads bring about."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - the condition lies in files and threads
            await asyncio.sleep(0.005)


SMALL = Bounds(rows=50, size=1 << 20)
