"""Small logs written without an adaptor."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

from sqlalchemy import create_engine

from reactor.audit.entry import Entry
from reactor.audit.ledger import Ledger, Start
from reactor.audit.schema import HEAD, metadata
from reactor.model.meta import Document
from reactor.translate import decide
from reactor.translate.decision import Decision
from reactor.translate.recorded import encode
from reactor.translate.situation import Situation
from tests.unit.translate.situations import situation, split

AT = 1_767_225_600_000_000
"""When the log begins."""


def write(path: Path, entries: Iterable[Entry]) -> Path:
    """Make a log of one run."""
    engine = create_engine(f"sqlite:///{path}")
    metadata.create_all(engine)
    engine.dispose()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        connection.execute("INSERT INTO alembic_version VALUES (?)", (HEAD,))
        ledger = Ledger()
        ledger.begin(connection, Start(AT, "1.2.3", "node", "{}", "cluster.local"))
        ledger.write(connection, list(entries))
    return path


def row(
    here: Situation,
    decision: Decision | None = None,
    *,
    at: int = AT,
    documents: tuple[Document, ...] | None = None,
) -> Entry:
    """A `translated` row: what was decided, else what today's code decides."""
    decision = decision or decide(here)
    held = [one.document for one in here.splits]
    held += [here.profile.document] if here.profile else []
    return Entry(
        kind="translated",
        at=at,
        namespace=here.namespace,
        service=here.service,
        split=decision.desired.winner,
        detail=encode(here, decision),
        documents=tuple(held) if documents is None else documents,
    )


def changes(count: int) -> Iterator[Situation]:
    """One split with ever other weights."""
    for number in range(count):
        yield situation(split("canary", ("web-v1", number), ("web-v2", 1)))
