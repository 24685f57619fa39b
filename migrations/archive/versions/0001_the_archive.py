"""The archive: clusters, runs, losses, and what is partitioned by month."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import UUID

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_INDEXES: dict[str, tuple[list[str], list[str]]] = {
    "at": ([], []),
    "kind": (["kind"], []),
    "namespace": (["namespace"], ["kind", "outcome", "actor"]),
    "split": (["split", "namespace"], ["kind"]),
    "split_at": (["split"], ["kind", "outcome", "actor"]),
    "service": (["service", "namespace"], ["kind"]),
    "service_at": (["service"], ["kind", "outcome", "actor"]),
    "outcome": (["outcome", "kind"], ["namespace", "split", "service"]),
    "actor": (["actor", "kind"], ["namespace", "split", "service"]),
    "reconcile": (["reconcile"], []),
}


def upgrade() -> None:
    """To this revision."""
    op.create_table(
        "clusters",
        Column("id", Integer, Identity(always=True), primary_key=True, nullable=False),
        Column("name", Text, nullable=False),
        Column("retention", BigInteger, nullable=False),
        UniqueConstraint("name", name="clusters_name"),
    )
    op.create_table(
        "runs",
        Column("cluster", Integer, ForeignKey("clusters.id"), nullable=False),
        Column("id", UUID(as_uuid=False), nullable=False),
        Column("started", BigInteger, nullable=False),
        Column("ended", BigInteger),
        Column("version", Text, nullable=False),
        Column("host", Text, nullable=False),
        Column("settings", Text, nullable=False),
        Column("cluster_domain", Text, nullable=False),
        Column("log", UUID(as_uuid=False), nullable=False),
        Column("shipped", BigInteger, nullable=False),
        Column("position", BigInteger, nullable=False),
        Column("oldest", BigInteger, nullable=False),
        Column("newest", BigInteger, nullable=False),
        PrimaryKeyConstraint("cluster", "id", name="runs_key"),
    )
    op.create_table(
        "losses",
        Column("cluster", Integer, ForeignKey("clusters.id"), nullable=False),
        Column("run", UUID(as_uuid=False), nullable=False),
        Column("position", BigInteger, nullable=False),
        Column("rows", BigInteger, nullable=False),
        Column("noticed", BigInteger, nullable=False),
        PrimaryKeyConstraint("cluster", "run", "position", name="losses_key"),
    )
    op.create_table(
        "entries",
        Column("cluster", Integer, nullable=False),
        Column("position", BigInteger, nullable=False),
        Column("run", UUID(as_uuid=False), nullable=False),
        Column("seq", BigInteger, nullable=False),
        Column("at", BigInteger, nullable=False),
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
        PrimaryKeyConstraint("cluster", "run", "seq", "at", name="entries_key"),
        CheckConstraint("length(hash) = 32", name="entries_hash"),
        postgresql_partition_by="RANGE (at)",
    )
    op.create_table(
        "documents",
        Column("cluster", Integer, nullable=False),
        Column("digest", LargeBinary, nullable=False),
        Column("at", BigInteger, nullable=False),
        Column("body", Text, nullable=False),
        PrimaryKeyConstraint("cluster", "digest", "at", name="documents_key"),
        postgresql_partition_by="RANGE (at)",
    )
    op.create_table(
        "terms",
        Column("cluster", Integer, nullable=False),
        Column("field", Text, nullable=False),
        Column("term", Text, nullable=False),
        Column("at", BigInteger, nullable=False),
        Column("run", UUID(as_uuid=False), nullable=False),
        Column("seq", BigInteger, nullable=False),
        Column("namespace", Text),
        Column("kind", Text, nullable=False),
        Column("outcome", Text),
        PrimaryKeyConstraint(
            *("cluster", "field", "term", "at", "run", "seq"),
            name="terms_key",
            postgresql_include=["namespace", "kind", "outcome"],
        ),
        postgresql_partition_by="RANGE (at)",
    )
    for name, (first, within) in _INDEXES.items():
        sometimes = first and first != ["kind"]
        op.create_index(
            f"entries_{name}",
            "entries",
            ["cluster", *first, "at", "run", "seq"],
            postgresql_include=within,
            postgresql_where=text(f"{first[0]} IS NOT NULL") if sometimes else None,
        )


def downgrade() -> None:
    """To nothing."""
    for table in ("terms", "documents", "entries", "losses", "runs", "clusters"):
        op.drop_table(table)
