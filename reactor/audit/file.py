"""The database's file: its schema, brought up to date when it is opened, and its identity."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Literal

from reactor.audit import engine, migrate
from reactor.audit.engine import Connection
from reactor.audit.library import AsyncConnection
from reactor.audit.schema import HEAD, REVISIONS, metadata
from reactor.audit.trouble import Unavailable, explain, full
from reactor.errors import Fatal

Schema = Literal["current", "fresh", "behind"]
Identity = tuple[int, int]
"""Device and inode."""


async def connect(path: Path) -> Connection:
    """A writer's connection to a file whose schema is current.

    A fresh file gets the schema from the metadata; one that is behind is migrated by a child
    process, so that alembic is never loaded here. Raises Unavailable or Fatal.
    """
    try:
        connection = await Connection.open(engine.writer(path))
        try:
            found = await connection.run(_schema, path)
            await connection.run(_keep_ahead)
            if found == "fresh":
                await connection.perform(_create)
            elif found == "behind":
                await _migrate(path)
        except BaseException:
            await connection.close()
            raise
    except sqlite3.Error as error:
        raise explain(error, path) from error
    return connection


def check(path: Path) -> None:
    """Whether a file can be there at all; raises Fatal."""
    if not path.parent.is_dir():
        raise Fatal(
            f"audit database {path}: there is no directory {path.parent}; "
            "create it, or set -audit-url"
        )
    if path.is_dir():
        raise Fatal(f"audit database {path} is a directory; give the path of a file")


def _schema(connection: sqlite3.Connection, path: Path) -> Schema:
    tables = {
        name
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    }
    if not tables:
        return "fresh"
    rows = (
        connection.execute("SELECT version_num FROM alembic_version").fetchall()
        if "alembic_version" in tables
        else []
    )
    if not rows and tables == {"alembic_version"}:
        return "behind"
    if len(rows) != 1:
        raise Fatal(f"{path} is the database of another program; set -audit-url to another file")
    version = rows[0][0]
    if version not in REVISIONS:
        raise Fatal(
            f"audit database {path} has schema {version}, written by a newer release; this one "
            f"knows up to {HEAD}: run the newer release, or set -audit-url to another file"
        )
    # Fails at once where the file can be read but not written.
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("ROLLBACK")
    return "current" if version == HEAD else "behind"


def _keep_ahead(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode=WAL")


async def _create(connection: AsyncConnection) -> None:
    # The driver is in autocommit mode: without this a crash would leave half a schema.
    await connection.exec_driver_sql("BEGIN IMMEDIATE")
    await connection.run_sync(metadata.create_all)
    await connection.exec_driver_sql(
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL,"
        " CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
    )
    await connection.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (HEAD,))
    await connection.commit()


async def _migrate(path: Path) -> None:
    last = await migrate.upgrade("migrations", str(path))
    if last is not None:
        if "locked" in last:
            raise Unavailable(f"audit database {path} is locked by another program; can't migrate")
        if "disk is full" in last or full(path):
            raise Unavailable(f"the disk of audit database {path} is full; make room on it")
        raise Fatal(f"audit database {path} can't be migrated to schema {HEAD}: {last}")


def identity(path: Path) -> Identity | None:
    """Which file has this name now, or None when none has."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
