"""Runs, entries, documents and refs, with their indexes and append-only triggers."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    CheckConstraint,
    Column,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_KEPT = "old.seq > coalesce((SELECT cut FROM runs WHERE id = old.run), 0)"

# REPLACE removes the row in its way without firing DELETE triggers: hence those on INSERT.
_TRIGGERS = {
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
        f"BEFORE DELETE ON refs WHEN {_KEPT} "
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
    "documents_no_delete": (
        "BEFORE DELETE ON documents WHEN EXISTS (SELECT 1 FROM refs WHERE digest = old.digest) "
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


def upgrade() -> None:
    """From nothing."""
    op.create_table(
        "runs",
        Column("id", Text, primary_key=True, nullable=False),
        Column("started", Integer, nullable=False),
        Column("ended", Integer),
        Column("version", Text, nullable=False),
        Column("host", Text, nullable=False),
        Column("settings", Text, nullable=False),
        Column("cluster_domain", Text, nullable=False),
        Column("cut", Integer, nullable=False, server_default=text("0")),
    )
    op.create_table(
        "entries",
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
    op.create_table(
        "documents",
        Column("id", Integer, primary_key=True, nullable=False),
        Column("digest", LargeBinary, nullable=False),
        Column("body", Text, nullable=False),
        UniqueConstraint("digest", name="documents_digest"),
        CheckConstraint("length(digest) = 32", name="documents_length"),
    )
    op.create_table(
        "refs",
        Column("digest", LargeBinary, primary_key=True, nullable=False),
        Column("run", Text, primary_key=True, nullable=False),
        Column("seq", Integer, primary_key=True, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("entries_at", "entries", ["at"])
    op.create_index("entries_kind", "entries", ["kind"])
    op.create_index(
        "entries_namespace", "entries", ["namespace"], sqlite_where=text("namespace IS NOT NULL")
    )
    op.create_index(
        "entries_service",
        "entries",
        ["service", "namespace", "position", "kind", "split"],
        sqlite_where=text("service IS NOT NULL"),
    )
    op.create_index(
        "entries_split",
        "entries",
        ["split", "namespace", "position", "kind"],
        sqlite_where=text("split IS NOT NULL"),
    )
    op.create_index(
        "entries_outcome", "entries", ["outcome"], sqlite_where=text("outcome IS NOT NULL")
    )
    op.create_index(
        "entries_reconcile", "entries", ["reconcile"], sqlite_where=text("reconcile IS NOT NULL")
    )
    for name, body in _TRIGGERS.items():
        op.get_bind().exec_driver_sql(f"CREATE TRIGGER {name} {body}")


def downgrade() -> None:
    """To nothing."""
    for name in _TRIGGERS:
        op.get_bind().exec_driver_sql(f"DROP TRIGGER {name}")
    for table in ("refs", "documents", "entries", "runs"):
        op.drop_table(table)
