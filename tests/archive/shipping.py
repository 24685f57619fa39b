"""Local logs, shippers beside them, and what the archive then has to hold."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from reactor.audit.archive.reader import ArchiveReader
from reactor.audit.archive.shipper import Shipper
from reactor.audit.journal import Journal
from reactor.audit.link import GENESIS, link
from reactor.audit.row import COLUMNS
from tests.archive.postgres import Postgres
from tests.unit.audit.logs import document, entry, rows

_COLUMNS = ", ".join(COLUMNS)


def shipper(url: str, path: Path, **settings: Any) -> Shipper:
    """A shipper that doesn't run yet."""
    given: dict[str, Any] = {"cluster": "one", "retention": 365 * 86400.0, **settings}
    return Shipper(archive_url=url, log_url=str(path), **given)


@asynccontextmanager
async def shipping(url: str, path: Path, **settings: Any) -> AsyncIterator[Shipper]:
    """A shipper that runs for the time of the block."""
    found = shipper(url, path, **settings)
    task = asyncio.create_task(found.run(), name=f"ship {path.name}")
    try:
        yield found
    finally:
        task.cancel()
        await asyncio.wait({task})


@asynccontextmanager
async def reading(url: str, *, cluster: str) -> AsyncIterator[ArchiveReader]:
    """A reader for the time of the block."""
    found = ArchiveReader(url=url, cluster=cluster)
    try:
        yield found
    finally:
        await found.close()


def write(log: Journal, count: int, *, start: int = 0) -> None:
    """Append rows that refer to documents, some of them to the same ones."""
    for number in range(start, start + count):
        log.append(
            entry(
                ("observed", "translated", "synced")[number % 3],
                f"service-{number % 7}",
                split=f"split-{number % 7}",
                outcome="patched" if number % 3 == 2 else None,
                actor="kubectl" if number % 3 == 0 else None,
                reconcile=f"{log.run}-{number}",
                detail=b'{"message":"weight %d is too large"}' % number,
                documents=(document(str(number)), document(f"shared-{number % 5}")),
            )
        )


def local(path: Path) -> list[tuple[Any, ...]]:
    """All rows of a local log."""
    return [tuple(row) for row in rows(path, f"SELECT {_COLUMNS} FROM entries ORDER BY position")]


async def archived(
    postgres: Postgres, database: str, cluster: str = "one"
) -> list[tuple[Any, ...]]:
    """All rows of a cluster in the archive, by run and seq."""
    names = _COLUMNS.replace("run,", "run::text,")
    return await postgres.fetch(
        database,
        f"SELECT {names} FROM entries WHERE cluster = (SELECT id FROM clusters WHERE name = $1)"
        " ORDER BY run, seq",
        cluster,
    )


async def assert_the_same(
    postgres: Postgres, database: str, *paths: Path, cluster: str = "one"
) -> None:
    """Nothing is lost, nothing doubled, every hash and every document as in the local logs."""
    expected = [row for path in paths for row in local(path)]
    found = await archived(postgres, database, cluster)
    assert found == sorted(expected, key=lambda row: row[1:3])
    assert len(found) == len({row[1:3] for row in found})
    bodies = dict(await postgres.fetch(database, "SELECT digest, body FROM documents"))
    assert all(sha256(body.encode()).digest() == digest for digest, body in bodies.items())
    wanted = {row[13][at : at + 32] for row in expected for at in range(0, len(row[13]), 32)}
    assert wanted <= set(bodies)
    for path in paths:
        _prove(local(path), {row[1:3]: row for row in found})


def _prove(source: list[tuple[Any, ...]], found: dict[Any, tuple[Any, ...]]) -> None:
    """The chain holds in the archive's rows by themselves."""
    previous = GENESIS
    for row in source:
        stored = found[row[1:3]]
        if row[0] > 1:
            assert link(previous, stored[:-1]) == stored[-1]
        previous = stored[-1]


async def until(condition: Callable[[], bool | Awaitable[bool]], seconds: float = 60.0) -> None:
    """Wait for something that other tasks and processes bring about."""
    async with asyncio.timeout(seconds):
        while True:
            found = condition()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.02)


def level(shipper: Shipper) -> Callable[[], bool]:
    """Whether everything is shipped, and is known to be."""
    return lambda: shipper.trouble is None and shipper.lag_rows == 0
