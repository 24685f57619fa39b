"""Phrases and findings answered by the terms alone; who changed a split, of any namespace."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Text, text

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_KEY = """
ALTER TABLE terms DROP CONSTRAINT terms_key,
    ADD CONSTRAINT terms_key PRIMARY KEY (cluster, field, term, at, run, seq) INCLUDE ({})
"""


def upgrade() -> None:
    """To this revision. Of rows that are there, neither is known: they are asked themselves."""
    op.add_column("terms", Column("findings", Text))
    op.add_column("terms", Column("places", BigInteger, nullable=False, server_default="-1"))
    op.execute(_KEY.format("namespace, kind, outcome, findings, places"))
    op.create_index(
        "entries_split_actor",
        "entries",
        ["cluster", "split", "actor", "at", "run", "seq"],
        postgresql_include=["namespace", "kind"],
        postgresql_where=text("split IS NOT NULL AND actor IS NOT NULL"),
    )


def downgrade() -> None:
    """To the one before."""
    op.drop_index("entries_split_actor")
    op.execute(_KEY.format("namespace, kind, outcome"))
    op.drop_column("terms", "places")
    op.drop_column("terms", "findings")
