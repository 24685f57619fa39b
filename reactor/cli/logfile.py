"""The log that a replay reads: a file, or what it needs of a log elsewhere, fetched into one."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reactor.admin import moment
from reactor.audit.query.filters import Filters
from reactor.cli.audit import output
from reactor.cli.audit.given import Where
from reactor.cli.audit.opened import opened
from reactor.cli.cluster import run
from reactor.cli.globals import Globals
from reactor.cli.say import say
from reactor.client.fetched import Fetched, fetched
from reactor.client.local import file
from reactor.client.once import Once
from reactor.replay.source import LogFile


@contextmanager
def log_file(
    where: Where, given: Globals, filters: Filters, *, events: bool
) -> Iterator[tuple[LogFile, str]]:
    """For as long as this is entered, and what it is called. ``events``: all that happened from
    the log's beginning on, and not only the decisions that pass.
    """
    if where.db is not None and not where.archived:
        yield LogFile(file(where.db).path), where.db
        return
    with tempfile.TemporaryDirectory(prefix="linkerd-smi-log-") as folder:
        path = Path(folder) / "log.sqlite"
        found = run(_fetch(where, given, filters, path, events=events))
        if found.problem is not None:
            say(f"rows may be missing here: {found.problem}")
        yield LogFile(path), "the log"


async def _fetch(
    where: Where, given: Globals, filters: Filters, path: Path, *, events: bool
) -> Fetched:
    asked = Filters(until=filters.until) if events else filters
    query = {name: value for name, value in asked.columns().items() if name != "kind"}
    for name, at in (("since", asked.since), ("until", asked.until)):
        if at is not None:
            query[name] = moment.text(at)
    if not events:
        query["kind"] = "translated"
    async with opened(where, given) as log:
        try:
            return await fetched(
                log,
                query,
                path,
                once=(lambda runs: Once(runs, only=filters.run)) if events else None,
                progress=lambda rows: output.progress(f"rows fetched: {rows}"),
            )
        finally:
            output.progress("")
