"""A consistent copy of a log in SQLite that is being written."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from reactor.audit import engine
from reactor.audit.chain import Anchor, verify
from reactor.audit.trouble import explain
from reactor.client.ticking import ticking
from reactor.errors import Fatal

_PAGES: Final = 4096
"""Pages between two words about the progress."""
_SPARE: Final = 64 << 20
"""Bytes that the log's own writer may need meanwhile."""


async def copied(source: Path, target: Path, *, progress: Callable[[str], None]) -> int:
    """Copy all as of now into the empty file ``target``, and prove it: how many rows there are.

    One read transaction holds the moment; the writer goes on, with a longer write-ahead log.
    Raises ReactorError.
    """
    await asyncio.to_thread(_room, source, target.parent)
    try:
        newest = await asyncio.to_thread(_copy, source, target, progress)
    except sqlite3.Error as error:
        raise explain(error, source) from error
    proof = verify(str(target), *([] if newest is None else [newest]))
    verdict = await ticking(proof, progress, "verifying the copy")
    if verdict.problem is not None:
        raise Fatal(f"the copy of {source} does not prove, so it was removed: {verdict.problem}")
    return verdict.rows


def _room(source: Path, folder: Path) -> None:
    size, free = source.stat().st_size, shutil.disk_usage(folder).free
    if free < size + _SPARE:
        raise Fatal(
            f"a copy of {size >> 20} MiB does not fit into {folder}, where {free >> 20} MiB are"
            " free: make room there"
        )


def _copy(source: Path, target: Path, progress: Callable[[str], None]) -> Anchor | None:
    def shown(status: int, left: int, total: int) -> None:
        if total:
            progress(f"{1 - left / total:4.0%} of {total} pages copied")

    with (
        closing(sqlite3.connect(engine.uri(source, "ro"), uri=True, isolation_level=None)) as live,
        closing(sqlite3.connect(target, isolation_level=None)) as copy,
    ):
        # Without it each commit of the writer would begin the copy anew.
        live.execute("BEGIN")
        found = live.execute(
            "SELECT run, seq, hash FROM entries ORDER BY position DESC LIMIT 1"
        ).fetchone()
        live.backup(copy, pages=_PAGES, progress=shown)
        live.execute("COMMIT")
        # One file, that can be read where nothing can be written.
        copy.execute("PRAGMA journal_mode=DELETE")
    return None if found is None else Anchor(found[0], found[1], found[2].hex())
