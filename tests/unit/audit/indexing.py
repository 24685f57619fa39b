"""The search index brought up to a log, at once and to its end."""

from __future__ import annotations

from pathlib import Path

from reactor.audit import engine
from reactor.audit.engine import Connection
from reactor.audit.index import builder
from reactor.audit.index.schema import beside


async def catch_up(path: Path) -> None:
    """Index what is in the log now, step by step as `Indexer` does, without its pauses."""
    connection = await Connection.open(engine.index(beside(path)))
    try:
        await connection.run(builder.attach, engine.uri(path, "ro"))
        await connection.run(builder.prepare)
        while await connection.run(builder.step):
            pass
    finally:
        await connection.close()
