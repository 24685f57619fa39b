"""The log's file as its one writer sees it: transactions, places and the chain's end.

Everything here blocks; the journal calls it on the connection's own thread.
"""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from reactor.audit import statements
from reactor.audit.entry import Entry
from reactor.audit.link import GENESIS, link
from reactor.audit.recall import settled
from reactor.audit.runid import run_id
from reactor.audit.trouble import Unavailable
from reactor.model.meta import Document

KNOWN_DOCUMENTS: Final = 20_000


class Tail(msgspec.Struct, frozen=True):
    """The newest row: where the next one is chained to."""

    position: int = 0
    run: str = ""
    seq: int = 0
    hash: bytes = GENESIS


class Start(msgspec.Struct, frozen=True):
    """What a run says of itself. ``at`` is microseconds UTC, ``settings`` a JSON object."""

    at: int
    version: str
    host: str
    settings: str
    cluster_domain: str


class Started(Start, frozen=True):
    """``detail`` of a `started` row: also the earlier runs that have their end from now on, with
    its time (microseconds UTC). None in logs of before that was told.
    """

    settled: tuple[tuple[str, int], ...] | None = None


class Cut(msgspec.Struct, frozen=True):
    """``detail`` of a `purged` row: the newest row that goes, and all before it.

    ``rows`` of them go, written between ``first`` and ``last`` (microseconds UTC); ``hash`` (hex)
    is the chain's at the cut; ``start`` tells of the run that the cut lies in.
    """

    position: int
    run: str
    seq: int
    hash: str
    rows: int
    first: int
    last: int
    start: Start


class Ledger:
    """One run's place in one file. seq and hash are given inside the transaction."""

    def __init__(self) -> None:
        self._tail = Tail()
        self._doubtful: Tail | None = None
        self._run = ""
        self._known: OrderedDict[bytes, int] = OrderedDict()

    @property
    def run(self) -> str:
        """The id of this run, or "" before `begin`."""
        return self._run

    @property
    def tail(self) -> Tail:
        """The newest durable row."""
        return self._tail

    def begin(self, connection: sqlite3.Connection, start: Start) -> str:
        """Open a run with its `started` row, chained to the run before.

        Earlier runs that a crash ended get their end here, once nothing in them is open.
        """
        connection.execute("BEGIN IMMEDIATE")
        try:
            last = newest(connection)
            before = connection.execute("SELECT max(id) FROM runs").fetchone()[0]
            run = run_id(start.at // 1000, before)
            connection.execute(
                "INSERT INTO runs (id, started, version, host, settings, cluster_domain)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (run, start.at, start.version, start.host, start.settings, start.cluster_domain),
            )
            ends = tuple(settled(connection, run))
            for crashed, ended in ends:
                connection.execute("UPDATE runs SET ended = ? WHERE id = ?", (ended, crashed))
            detail = msgspec.json.encode(Started(**msgspec.structs.asdict(start), settled=ends))
            entry = Entry(kind="started", at=start.at, detail=detail)
            tail = self._put(connection, Tail(last.position, run, 0, last.hash), (entry,))
            connection.execute("COMMIT")
        except BaseException:
            self._undo(connection)
            raise
        self._run, self._tail = run, tail
        return run

    def adopt(self, connection: sqlite3.Connection) -> None:
        """Go on with this run in a file that was opened anew."""
        found = newest(connection)
        if found not in (self._tail, self._doubtful):
            raise Unavailable("the audit database was replaced by another one; restart to use it")
        self._known.clear()

    def write(
        self, connection: sqlite3.Connection, entries: Sequence[Entry], ended: int | None = None
    ) -> None:
        """Append rows in one durable transaction; all or none. ``ended`` closes the run.

        After an error the same rows may be written again: should the commit have come through
        although it was reported as failed, they are found and not repeated.
        """
        connection.execute("BEGIN IMMEDIATE")
        tail = self._tail
        try:
            if self._doubtful is not None:
                found = newest(connection)
                if found == self._doubtful:
                    connection.execute("ROLLBACK")
                    self._tail, self._doubtful = found, None
                    return
                if found != tail:
                    raise Unavailable("another process appended to the audit database")
            tail = self._doubtful = self._put(connection, tail, entries)
            if ended is not None:
                connection.execute("UPDATE runs SET ended = ? WHERE id = ?", (ended, self._run))
            connection.execute("COMMIT")
        except BaseException:
            self._undo(connection)
            raise
        self._tail, self._doubtful = tail, None

    def purge(self, connection: sqlite3.Connection, cut: Cut, at: int) -> None:
        """Condemn every row up to ``cut``: its `purged` row, and the cuts of the runs.

        The rows themselves go later, in small chunks; the chain is read from the cut on.
        """
        entry = Entry(kind="purged", at=at, detail=msgspec.json.encode(cut))
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.execute(
                "UPDATE runs SET cut = (SELECT max(seq) FROM entries WHERE run = runs.id)"
                " WHERE id < ? AND EXISTS (SELECT 1 FROM entries WHERE run = runs.id)",
                (cut.run,),
            )
            connection.execute("UPDATE runs SET cut = ? WHERE id = ?", (cut.seq, cut.run))
            tail = self._put(connection, self._tail, (entry,))
            connection.execute("COMMIT")
        except BaseException:
            self._undo(connection)
            raise
        self._tail = tail

    def forget(self, digests: Sequence[bytes]) -> None:
        """Those documents are stored no longer."""
        for digest in digests:
            self._known.pop(digest, None)

    def _put(self, connection: sqlite3.Connection, tail: Tail, entries: Sequence[Entry]) -> Tail:
        position, run, seq, previous = tail.position, tail.run, tail.seq, tail.hash
        rows: list[tuple[Any, ...]] = []
        referred: list[tuple[bytes, int]] = []
        fresh: dict[bytes, Document] = {}
        for entry in entries:
            position += 1
            seq += 1
            digests = b""
            for document in entry.documents:
                digest = document.digest
                digests += digest
                referred.append((digest, position))
                if digest in self._known:
                    self._known.move_to_end(digest)
                else:
                    fresh[digest] = document
            values = (
                position,
                run,
                seq,
                entry.at,
                entry.kind,
                entry.namespace,
                entry.split,
                entry.service,
                entry.outcome,
                entry.actor,
                entry.reconcile,
                entry.resource_version,
                entry.detail.decode(),
                digests,
            )
            previous = link(previous, values)
            rows.append((*values, previous))
        if fresh:
            # By digest, so that neighbours in the index are written one after the other.
            bodies = [(digest, fresh[digest].body.decode()) for digest in sorted(fresh)]
            statements.insert_documents(connection, bodies)
            self._known.update(statements.document_ids(connection, tuple(fresh)))
        statements.insert_entries(connection, rows)
        if referred:
            refs = sorted({(self._known[digest], position) for digest, position in referred})
            statements.insert_refs(connection, refs)
        while len(self._known) > KNOWN_DOCUMENTS:
            self._known.popitem(last=False)
        return Tail(position, run, seq, previous)

    def _undo(self, connection: sqlite3.Connection) -> None:
        # What this transaction stored is gone with it; which documents those were isn't kept.
        self._known.clear()
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def newest(connection: sqlite3.Connection) -> Tail:
    """The newest row of the file, or the chain's beginning."""
    found = connection.execute(
        "SELECT position, run, seq, hash FROM entries ORDER BY position DESC LIMIT 1"
    ).fetchone()
    return Tail(*found) if found is not None else Tail()
