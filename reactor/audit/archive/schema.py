"""The archive's tables. ``HEAD`` is the newest migration; a test holds that both agree.

What grows is partitioned by month of ``at``: retention drops whole months. ``cluster`` leads every
key, so that several clusters share an archive and none reads another's rows.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    and_,
)
from sqlalchemy.dialects.postgresql import UUID

REVISIONS: Final = ("0001", "0002")
HEAD: Final = REVISIONS[-1]
PARTITIONED: Final = ("entries", "documents", "terms")
BY_MONTH: Final = "RANGE (at)"

metadata = MetaData()


def _run(name: str) -> Column[str]:
    return Column(name, UUID(as_uuid=False), nullable=False)


clusters = Table(
    "clusters",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True, nullable=False),
    Column("name", Text, nullable=False),
    Column("retention", BigInteger, nullable=False),
    UniqueConstraint("name", name="clusters_name"),
)
"""``retention`` in seconds, as its adaptors were told; partitions go by the longest."""

runs = Table(
    "runs",
    metadata,
    Column("cluster", Integer, ForeignKey("clusters.id"), nullable=False),
    _run("id"),
    Column("started", BigInteger, nullable=False),
    Column("ended", BigInteger),
    Column("version", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("settings", Text, nullable=False),
    Column("cluster_domain", Text, nullable=False),
    _run("log"),
    Column("shipped", BigInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("oldest", BigInteger, nullable=False),
    Column("newest", BigInteger, nullable=False),
    PrimaryKeyConstraint("cluster", "id", name="runs_key"),
)
"""``shipped`` (its seq) and ``position`` are the newest row that is here, or was before its month
was dropped: written with the rows themselves, so that a restored archive says what it lacks.
``log`` is the first run that came from the same local log: positions count through all of its.
``oldest`` and ``newest`` are the bounds of ``at`` of its rows, wherever the clock was."""

losses = Table(
    "losses",
    metadata,
    Column("cluster", Integer, ForeignKey("clusters.id"), nullable=False),
    _run("run"),
    Column("position", BigInteger, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("noticed", BigInteger, nullable=False),
    PrimaryKeyConstraint("cluster", "run", "position", name="losses_key"),
)
"""Rows that the local log's retention removed before they were shipped: so many before the row at
``position``, the first one of ``run`` that was still there."""

entries = Table(
    "entries",
    metadata,
    Column("cluster", Integer, nullable=False),
    Column("position", BigInteger, nullable=False),
    _run("run"),
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
    postgresql_partition_by=BY_MONTH,
)
"""The rows as they are in the local log, to the byte: hashes can be proved here as there."""

documents = Table(
    "documents",
    metadata,
    Column("cluster", Integer, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    PrimaryKeyConstraint("cluster", "digest", "at", name="documents_key"),
    postgresql_partition_by=BY_MONTH,
)
"""Once for each month (``at`` is its beginning) with a row that refers to it: dropping a month
takes what only its rows need, and nothing else."""

terms = Table(
    "terms",
    metadata,
    Column("cluster", Integer, nullable=False),
    Column("field", Text, nullable=False),
    Column("term", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    _run("run"),
    Column("seq", BigInteger, nullable=False),
    Column("namespace", Text),
    Column("kind", Text, nullable=False),
    Column("outcome", Text),
    Column("findings", Text),
    Column("places", BigInteger, nullable=False, server_default="-1"),
    PrimaryKeyConstraint(
        *("cluster", "field", "term", "at", "run", "seq"),
        name="terms_key",
        postgresql_include=["namespace", "kind", "outcome", "findings", "places"],
    ),
    postgresql_partition_by=BY_MONTH,
)
"""What rows say, by ``field``: `finding`s, and the `word`s of their messages. A B-tree and no GIN:
pages come in order from it, however often a word occurs. It holds what words are often asked for
together with: the row's ``findings``, one a line (NULL: not known), and for phrases the ``places``
of a word in the message, a bit for each (-1: at any)."""


class Way(NamedTuple):
    """An index of entries: ``first`` its columns before the order's own, ``within`` those that it
    holds besides, so that rows can be ruled out without being read. It has the rows that have the
    first of ``first``, and ``having``.
    """

    first: tuple[str, ...] = ()
    within: tuple[str, ...] = ()
    having: tuple[str, ...] = ()


_KEY: Final = ("at", "run", "seq")
WAYS: Final[dict[str, Way]] = {
    "at": Way(),
    "kind": Way(("kind",)),
    "namespace": Way(("namespace",), ("kind", "outcome", "actor")),
    "split": Way(("split", "namespace"), ("kind",)),
    "split_at": Way(("split",), ("kind", "outcome", "actor")),
    "service": Way(("service", "namespace"), ("kind",)),
    "service_at": Way(("service",), ("kind", "outcome", "actor")),
    "outcome": Way(("outcome", "kind"), ("namespace", "split", "service")),
    "actor": Way(("actor", "kind"), ("namespace", "split", "service")),
    "reconcile": Way(("reconcile",)),
    "split_actor": Way(("split", "actor"), ("namespace", "kind"), having=("actor",)),
}
"""Each goes on in the order of the pages."""

for _name, _way in WAYS.items():
    _there = [entries.c[name] for name in (*_way.first[:1], *_way.having)]
    Index(
        f"entries_{_name}",
        *(entries.c[name] for name in ("cluster", *_way.first, *_KEY)),
        postgresql_include=list(_way.within),
        postgresql_where=and_(*(column.is_not(None) for column in _there))
        if _there and _there[0].nullable
        else None,
    )
