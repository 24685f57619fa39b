"""A small process that appends to a journal and says on stdout which rows are durable.

`python -m tests.crash.writer PATH CALLERS [synchronous]`: each caller appends a `translated` row,
waits for its commit, prints its number, and appends the `synced` row that ends it.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
from hashlib import sha256

from reactor.audit.entry import Entry
from reactor.audit.journal import Journal, microseconds
from reactor.audit.retention import Retention
from reactor.model.meta import Document


def _say(text: str) -> None:
    os.write(1, f"{text}\n".encode())


def _weaken(connection: sqlite3.Connection, synchronous: str) -> None:
    connection.execute(f"PRAGMA synchronous={synchronous}")


async def _call(journal: Journal, first: int, step: int) -> None:
    number = first
    while True:
        name = f"{journal.run}-{number}"
        body = f'{{"weight": "{name}"}}'.encode()
        document = Document(sha256(body).digest(), body)
        journal.append(
            Entry(
                kind="translated",
                at=microseconds(),
                namespace="default",
                service=f"service-{first}",
                reconcile=name,
                documents=(document,),
            )
        )
        if await journal.commit():
            _say(name)
        journal.append(
            Entry(
                kind="synced",
                at=microseconds(),
                namespace="default",
                service=f"service-{first}",
                reconcile=name,
                outcome="patched",
            )
        )
        number += step


async def _main(path: str, callers: int, synchronous: str = "FULL") -> None:
    journal = Journal(
        url=path,
        version="test",
        host="test",
        settings={},
        cluster_domain="cluster.local",
        retention=Retention(),
    )
    await journal.open()
    # No setting may weaken this: only a test, to see that it would be noticed.
    await journal._keeper.run(_weaken, synchronous)
    for row in (await journal.recall()).open:
        journal.append(
            Entry(
                kind="synced",
                at=microseconds(),
                namespace=row.namespace,
                service=row.service,
                reconcile=row.reconcile,
                outcome="interrupted",
            )
        )
    await journal.commit()
    _say(f"open {journal.run}")
    async with asyncio.TaskGroup() as group:
        for first in range(callers):
            group.create_task(_call(journal, first, callers))


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:]))
