"""What a log says after a crash, read without any code of the reactor's."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

from reactor.audit.chain import verify
from reactor.sandbox.server import Sandbox
from tests.crash.script import Profiles

Row = dict[str, Any]
Writes = Counter[tuple[str, str]]
"""By verb and profile; those that create by verb alone, since their path doesn't name it."""

_SENT = ("create", "patch", "delete")


def rows(path: Path, kind: str) -> list[Row]:
    """The rows of one kind, in order; none while there is no log."""
    if not path.exists():
        return []
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'entries'").fetchall():
            return []
        found = connection.execute(
            "SELECT * FROM entries WHERE kind = ? ORDER BY position", (kind,)
        ).fetchall()
    return [{**dict(row), "detail": json.loads(row["detail"])} for row in found]


def decided(path: Path) -> Writes:
    """The decisions to write that are in the log."""
    plans = [_plan(row) for row in rows(path, "translated")]
    return Counter(_named(plan["type"], plan["name"]) for plan in plans if plan["type"] in _SENT)


def _plan(row: dict[str, Any]) -> dict[str, Any]:
    """The plan of a decision, with what the row says of it elsewhere."""
    detail = row["detail"]
    plan: dict[str, Any] = dict(detail["plan"])
    if plan["type"] in ("create", "patch"):
        plan.setdefault("overrides", detail["desired"].get("overrides"))
        plan.setdefault("name", (detail.get("profile") or {}).get("name"))
    return plan


def sent(sandbox: Sandbox, user: str) -> Writes:
    """The requests of this user that the API server saw and that would change a profile."""
    calls = sandbox.asked(resource="serviceprofiles", user=user)
    return Counter(_named(call.verb, call.name) for call in calls if call.verb in _SENT)


def _named(verb: str, name: str) -> tuple[str, str]:
    return (verb, "" if verb == "create" else name)


def newest_run(path: Path) -> str | None:
    """The run that wrote the newest row."""
    started = rows(path, "started")
    return started[-1]["run"] if started else None


async def check(path: Path) -> None:
    """The file is sound, its chain holds, and no sequence number is missing."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        holes = connection.execute(
            "SELECT run FROM entries GROUP BY run HAVING min(seq) <> 1 OR max(seq) <> count(*)"
        ).fetchall()
        assert holes == []
    assert (await verify(str(path))).problem is None


def check_explained(path: Path, shown: dict[str, Profiles], writes: Writes | None) -> None:
    """Every decision has its one end, and what a crash left open says what the cluster showed.

    ``shown``: the profiles at the start of each run.
    """
    opened = {row["reconcile"]: row for row in rows(path, "translated")}
    ended = rows(path, "synced")
    assert sorted(opened) == sorted(row["reconcile"] for row in ended)
    interrupted = [row for row in ended if row["outcome"] == "interrupted"]
    for row in interrupted:
        plan = _plan(opened[row["reconcile"]])
        words = row["detail"]["message"]
        live = shown[row["run"]].get(plan.get("name", ""))
        if plan["type"] in ("create", "patch"):
            stands = live is not None and live.get("dstOverrides") == plan["overrides"]
            assert ("shows what was decided" in words) == stands, (words, plan, live)
        elif plan["type"] == "delete":
            assert ("the profile is gone" in words) == (live is None), (words, plan, live)
    if writes is not None:
        recorded = decided(path)
        assert writes - recorded == Counter(), "a write that the log knows nothing of"
        assert (recorded - writes).total() <= len(interrupted)
