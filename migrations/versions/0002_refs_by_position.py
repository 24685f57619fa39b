"""Refs by document and position, and no index that the search index has made needless.

The unique constraint of (run, seq) and all rows stay as they are, so this takes seconds, and disk
for a copy of the refs. A reference that belongs to no row goes: it says nothing.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Integer, LargeBinary, Text, text

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TRIGGERS = {
    "refs_no_update": (
        "BEFORE UPDATE ON refs BEGIN SELECT RAISE(ABORT, 'refs are append-only'); END"
    ),
    "refs_no_delete": (
        "BEFORE DELETE ON refs WHEN EXISTS (SELECT 1 FROM entries AS e WHERE"
        " e.position = old.position"
        " AND e.seq > coalesce((SELECT cut FROM runs WHERE id = e.run), 0)) "
        "BEGIN SELECT RAISE(ABORT, 'refs above the cut stay'); END"
    ),
    "documents_no_replace_by_same": (
        "BEFORE INSERT ON documents WHEN EXISTS"
        " (SELECT 1 FROM documents WHERE digest = new.digest AND body IS new.body) "
        "BEGIN SELECT RAISE(IGNORE); END"
    ),
    "documents_no_delete": (
        "BEFORE DELETE ON documents WHEN EXISTS (SELECT 1 FROM refs WHERE document = old.id) "
        "BEGIN SELECT RAISE(ABORT, 'documents that rows refer to stay'); END"
    ),
}
_BEFORE = {
    "refs_no_update": _TRIGGERS["refs_no_update"],
    "refs_no_delete": (
        "BEFORE DELETE ON refs WHEN"
        " old.seq > coalesce((SELECT cut FROM runs WHERE id = old.run), 0) "
        "BEGIN SELECT RAISE(ABORT, 'refs above the cut stay'); END"
    ),
    "documents_no_delete": (
        "BEFORE DELETE ON documents WHEN EXISTS (SELECT 1 FROM refs WHERE digest = old.digest) "
        "BEGIN SELECT RAISE(ABORT, 'documents that rows refer to stay'); END"
    ),
}
_KINDS = {"entries_decisions": "translated", "entries_gaps": "gap", "entries_purges": "purged"}


def upgrade() -> None:
    """From refs by digest, run and seq."""
    _drop_triggers()
    op.rename_table("refs", "refs_by_digest")
    op.create_table(
        "refs",
        Column("document", Integer, primary_key=True, nullable=False),
        Column("position", Integer, primary_key=True, nullable=False),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO refs SELECT d.id, e.position FROM refs_by_digest AS r"
        " JOIN documents AS d ON d.digest = r.digest"
        " JOIN entries AS e ON e.run = r.run AND e.seq = r.seq ORDER BY d.id, e.position"
    )
    op.drop_table("refs_by_digest")
    for name in ("entries_kind", "entries_namespace", "entries_outcome"):
        op.drop_index(name, "entries", if_exists=True)
    for name, kind in _KINDS.items():
        op.create_index(name, "entries", ["position"], sqlite_where=text(f"kind = '{kind}'"))
    _create_triggers(_TRIGGERS)


def downgrade() -> None:
    """To refs by digest, run and seq."""
    _drop_triggers()
    op.rename_table("refs", "refs_by_position")
    op.create_table(
        "refs",
        Column("digest", LargeBinary, primary_key=True, nullable=False),
        Column("run", Text, primary_key=True, nullable=False),
        Column("seq", Integer, primary_key=True, nullable=False),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO refs SELECT d.digest, e.run, e.seq FROM refs_by_position AS r"
        " JOIN documents AS d ON d.id = r.document JOIN entries AS e USING (position)"
    )
    op.drop_table("refs_by_position")
    for name in _KINDS:
        op.drop_index(name, "entries")
    op.create_index("entries_kind", "entries", ["kind"])
    for column in ("namespace", "outcome"):
        op.create_index(
            f"entries_{column}", "entries", [column], sqlite_where=text(f"{column} IS NOT NULL")
        )
    _create_triggers(_BEFORE)


def _drop_triggers() -> None:
    for name in _TRIGGERS:
        op.get_bind().exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")


def _create_triggers(triggers: dict[str, str]) -> None:
    for name, body in triggers.items():
        op.get_bind().exec_driver_sql(f"CREATE TRIGGER {name} {body}")
