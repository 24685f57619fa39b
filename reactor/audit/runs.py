"""The table `runs` against what the rows of each run say."""

from __future__ import annotations

import sqlite3
from typing import Any

from reactor.audit.broken import Broken, readable
from reactor.audit.ledger import Cut, Start, Started
from reactor.audit.root import root


class Runs:
    """Told of every run as the log is walked. Raises Broken.

    ``within`` is a run that is walked from somewhere in its middle, nothing being known of a cut.
    """

    def __init__(self, cut: Cut | None, *, within: str = "") -> None:
        self._cut = cut
        self._within = within
        # Crashed, and not settled by a later start yet: may they have an end all the same?
        self._open: dict[str, bool] = {}

    def begin(self, connection: sqlite3.Connection) -> None:
        """The run that the cut lies in, if rows of it are left."""
        cut = self._cut
        if (
            cut is not None
            and connection.execute(
                "SELECT 1 FROM entries WHERE run = ? AND seq > ? LIMIT 1", (cut.run, cut.seq)
            ).fetchone()
        ):
            _check_start(connection, cut.run, cut.start)

    def start(self, connection: sqlite3.Connection, run: str, started: Started) -> None:
        """The next run has its first row, which says which of those before it now have an end."""
        _check_start(connection, run, started)
        if started.settled is None:  # written before a start said so
            self._open = dict.fromkeys(self._open, True)
            return
        for earlier, at in started.settled:
            if self._open.pop(earlier, None) is not None and not self._gone(connection, earlier):
                (ended,) = _run(connection, "ended", earlier)
                if ended != at:
                    raise Broken(f"run {earlier} has another end than the start after it gave it")

    def end(self, connection: sqlite3.Connection, run: str, at: int, kind: str) -> None:
        """A run was walked up to its last row, and another one follows."""
        if not run:
            return
        if not kind and not _there(connection, run):
            return  # all of its rows are gone, and it with them
        if self._condemned(connection, run):
            return
        ended = self._ended(connection, run)
        if ended is None and kind != "stopped":
            self._open[run] = False
        elif ended != at:
            raise Broken(f"run {run} has another end than its last row")
        elif kind not in ("", "stopped"):
            self._open[run] = False

    def finish(
        self, connection: sqlite3.Connection, run: str, at: int, kind: str, *, whole: bool
    ) -> None:
        """The newest run was walked, if it is ``whole`` up to its last row."""
        if run and (kind or _there(connection, run)):
            ended = self._ended(connection, run)
            if whole and ended != (at if kind == "stopped" else None):
                raise Broken(f"run {run} has another end than its last row")
        for earlier, either in self._open.items():
            if self._gone(connection, earlier):
                continue
            (ended,) = _run(connection, "ended", earlier)
            if ended is not None and not either:
                raise Broken(f"run {earlier} has an end that no start gave it")
        with readable("a run's id"):
            empty = connection.execute(
                "SELECT id FROM runs WHERE NOT EXISTS"
                " (SELECT 1 FROM entries WHERE run = runs.id) ORDER BY id LIMIT 1"
            ).fetchone()
        if empty is not None:
            raise Broken(f"the rows of run {empty[0]} are missing")

    def _ended(self, connection: sqlite3.Connection, run: str) -> Any:
        ended, cut = _run(connection, "ended, cut", run)
        if cut != self._expected(run):
            self._look(connection)
        expected = self._expected(run)
        if cut != expected and run != self._within:
            raise Broken(f"run {run} says that it was cut at {cut}, not {expected}")
        return ended

    def _expected(self, run: str) -> int:
        return self._cut.seq if self._cut is not None and self._cut.run == run else 0

    def _look(self, connection: sqlite3.Connection) -> None:
        """Retention may have cut since, behind the walk: that row is proved as the others are."""
        cut = root(connection).cut
        if cut is not None and (self._cut is None or cut.position > self._cut.position):
            self._cut = cut

    def _gone(self, connection: sqlite3.Connection, run: str) -> bool:
        """Whether a run that was walked isn't there any more, since all of its rows were cut."""
        if _there(connection, run):
            return False
        self._look(connection)
        return self._cut is not None and run <= self._cut.run

    def _condemned(self, connection: sqlite3.Connection, run: str) -> bool:
        """Whether all rows of a run that was walked have been cut since, gone yet or not."""
        if _there(connection, run) and _run(connection, "cut", run)[0] == self._expected(run):
            return False
        self._look(connection)
        return self._cut is not None and run < self._cut.run


def _there(connection: sqlite3.Connection, run: str) -> bool:
    return connection.execute("SELECT 1 FROM runs WHERE id = ?", (run,)).fetchone() is not None


def _run(connection: sqlite3.Connection, columns: str, run: str) -> tuple[Any, ...]:
    with readable(f"run {run}"):
        found: tuple[Any, ...] | None = connection.execute(
            f"SELECT {columns} FROM runs WHERE id = ?", (run,)
        ).fetchone()
    if found is None:
        raise Broken(f"run {run} is missing")
    return found


def _check_start(connection: sqlite3.Connection, run: str, start: Start) -> None:
    found = _run(connection, "started, version, host, settings, cluster_domain", run)
    if found != (start.at, start.version, start.host, start.settings, start.cluster_domain):
        raise Broken(f"run {run} isn't what was written when it started")
