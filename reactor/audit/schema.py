"""The four tables, their indexes, and the triggers that make them append-only.

``HEAD`` is the newest migration. A fresh file is made from this metadata, an older one is
brought up to it by the migrations: a test holds that both give the same schema.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    DDL,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    event,
    text,
)

REVISIONS: Final = ("0001", "0002")
HEAD: Final = REVISIONS[-1]

metadata = MetaData()

runs = Table(
    "runs",
    metadata,
    Column("id", Text, primary_key=True, nullable=False),
    Column("started", Integer, nullable=False),
    Column("ended", Integer),
    Column("version", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("settings", Text, nullable=False),
    Column("cluster_domain", Text, nullable=False),
    Column("cut", Integer, nullable=False, server_default=text("0")),
)
"""One row per process start. ``started`` and ``ended`` are microseconds UTC; ``ended`` is NULL
while the process lives, or while something that its crash left open isn't settled. ``cut`` is
the newest seq that retention removed."""

entries = Table(
    "entries",
    metadata,
    Column("position", Integer, primary_key=True, nullable=False, autoincrement=False),
    Column("run", Text, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("at", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("namespace", Text),
    Column("split", Text),
    Column("service", Text),
    Column("outcome", Text),
    Column("actor", Text),
    Column("reconcile", Text),
    Column("resource_version", Text),
    Column("detail", Text, nullable=False),
    Column("documents", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    UniqueConstraint("run", "seq", name="entries_run_seq"),
    CheckConstraint("length(hash) = 32", name="entries_hash"),
    CheckConstraint("length(documents) % 32 = 0", name="entries_documents"),
)
"""The log. ``position`` counts through all runs and orders rows as (run, seq) does; it keeps the
indexes small. ``documents`` are the digests referred to, 32 bytes each, in order."""

documents = Table(
    "documents",
    metadata,
    Column("id", Integer, primary_key=True, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("digest", name="documents_digest"),
    CheckConstraint("length(digest) = 32", name="documents_length"),
)

refs = Table(
    "refs",
    metadata,
    Column("document", Integer, primary_key=True, nullable=False),
    Column("position", Integer, primary_key=True, nullable=False),
    sqlite_with_rowid=False,
)
"""Which entries refer to a document, by its id and their position: few bytes, and those of new
documents all at the end."""

Index("entries_at", entries.c.at)
# Of the kinds, those that are looked for by themselves. For others, as for namespaces and
# outcomes, there is the search index.
for _kind, _name in (("translated", "decisions"), ("gap", "gaps"), ("purged", "purges")):
    Index(f"entries_{_name}", entries.c.position, sqlite_where=entries.c.kind == _kind)
# What follows the position lets "the last decision for this service" and "the last observation of
# its profile" (a row that names no split) be found in the index alone.
Index(
    "entries_service",
    entries.c.service,
    entries.c.namespace,
    entries.c.position,
    entries.c.kind,
    entries.c.split,
    sqlite_where=entries.c.service.is_not(None),
)
Index(
    "entries_split",
    entries.c.split,
    entries.c.namespace,
    entries.c.position,
    entries.c.kind,
    sqlite_where=entries.c.split.is_not(None),
)
Index("entries_reconcile", entries.c.reconcile, sqlite_where=entries.c.reconcile.is_not(None))

_KEPT = "old.seq > coalesce((SELECT cut FROM runs WHERE id = old.run), 0)"

# REPLACE removes the row in its way without firing DELETE triggers: hence those on INSERT.
TRIGGERS: Final = {
    "entries_no_update": (
        "BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END"
    ),
    "entries_no_replace": (
        "BEFORE INSERT ON entries WHEN "
        "EXISTS (SELECT 1 FROM entries WHERE position = new.position) "
        "OR EXISTS (SELECT 1 FROM entries WHERE run = new.run AND seq = new.seq) "
        "BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END"
    ),
    "entries_no_delete": (
        f"BEFORE DELETE ON entries WHEN {_KEPT} "
        "BEGIN SELECT RAISE(ABORT, 'entries above the cut stay'); END"
    ),
    "refs_no_update": (
        "BEFORE UPDATE ON refs BEGIN SELECT RAISE(ABORT, 'refs are append-only'); END"
    ),
    "refs_no_delete": (
        "BEFORE DELETE ON refs WHEN EXISTS (SELECT 1 FROM entries AS e WHERE"
        " e.position = old.position"
        " AND e.seq > coalesce((SELECT cut FROM runs WHERE id = e.run), 0)) "
        "BEGIN SELECT RAISE(ABORT, 'refs above the cut stay'); END"
    ),
    "documents_no_update": (
        "BEFORE UPDATE ON documents BEGIN SELECT RAISE(ABORT, 'documents are append-only'); END"
    ),
    "documents_no_replace": (
        "BEFORE INSERT ON documents WHEN EXISTS (SELECT 1 FROM documents WHERE id = new.id) "
        "OR EXISTS (SELECT 1 FROM documents WHERE digest = new.digest AND body IS NOT new.body) "
        "BEGIN SELECT RAISE(ABORT, 'documents are append-only'); END"
    ),
    # It would get another id, which nothing refers to.
    "documents_no_replace_by_same": (
        "BEFORE INSERT ON documents WHEN EXISTS"
        " (SELECT 1 FROM documents WHERE digest = new.digest AND body IS new.body) "
        "BEGIN SELECT RAISE(IGNORE); END"
    ),
    "documents_no_delete": (
        "BEFORE DELETE ON documents WHEN EXISTS (SELECT 1 FROM refs WHERE document = old.id) "
        "BEGIN SELECT RAISE(ABORT, 'documents that rows refer to stay'); END"
    ),
    "runs_no_update": (
        "BEFORE UPDATE ON runs WHEN new.id IS NOT old.id OR new.started IS NOT old.started "
        "OR new.version IS NOT old.version OR new.host IS NOT old.host "
        "OR new.settings IS NOT old.settings OR new.cluster_domain IS NOT old.cluster_domain "
        "OR new.cut < old.cut BEGIN SELECT RAISE(ABORT, 'runs are append-only'); END"
    ),
    "runs_no_replace": (
        "BEFORE INSERT ON runs WHEN EXISTS (SELECT 1 FROM runs WHERE id = new.id) "
        "BEGIN SELECT RAISE(ABORT, 'runs are append-only'); END"
    ),
    "runs_no_delete": (
        "BEFORE DELETE ON runs WHEN EXISTS (SELECT 1 FROM entries WHERE run = old.id) "
        "BEGIN SELECT RAISE(ABORT, 'runs that have rows stay'); END"
    ),
}

for _name, _body in TRIGGERS.items():
    # SQLAlchemy formats the text with %, as the rest of its DDL.
    _ddl = DDL(f"CREATE TRIGGER {_name} {_body}".replace("%", "%%"))  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped
    event.listen(metadata, "after_create", _ddl)
