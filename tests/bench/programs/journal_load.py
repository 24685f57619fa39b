"""Fills an audit log: `journal_load.py DIRECTORY ROWS` or `... DIRECTORY ROWS --plain`.

256 callers; each appends one row and waits until it is durable, then takes the next row. The
rows are those of weight changes: the split seen, the decision, its outcome, the profile's echo;
two of the four bring a document of their own. `--plain` writes the very same bytes with the
standard library alone, 256 rows a transaction, into one table without key, index or trigger.
Prints rows per second.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import uvloop

from reactor.audit.entry import Entry
from reactor.audit.journal import Journal
from reactor.audit.retention import Retention
from reactor.model.decode import document
from reactor.model.meta import Document

_CALLERS = 256


def entries(count: int) -> list[Entry]:
    """As many rows, four for each change."""
    found: list[Entry] = []
    for number in range(-(-count // 4)):
        found.extend(_change(number))
    return found[:count]


def _change(number: int) -> Iterator[Entry]:
    service, namespace = f"web-{number % 1000:05d}", f"bench-{number % 10}"
    reconcile = f"01986b1c-0000-7000-8000-{number:012x}"
    at = 1_780_000_000_000_000 + number
    pairs = ("blue", number % 998 + 1), ("green", 999 - number % 998)
    backends = [{"service": s, "weight": w} for s, w in pairs]
    overrides = [
        {"authority": f"{s}.{namespace}.svc.cluster.local", "weight": str(w)} for s, w in pairs
    ]
    split = _object("TrafficSplit", service, namespace, number)
    split["spec"] = {"service": service, "backends": backends}
    name = f"{service}.{namespace}.svc.cluster.local"
    profile = _object("ServiceProfile", name, namespace, number)
    profile["spec"] = {"dstOverrides": overrides}
    seen, echo = document(split), document(profile)
    yield Entry(
        kind="observed",
        at=at,
        detail=_observed("trafficsplits", service, "modified", seen),
        actor="kubectl",
        resource_version=str(number),
        documents=(seen,),
        namespace=namespace,
        service=service,
        split=service,
    )
    decision = {
        "desired": overrides,
        "findings": [],
        "plan": {"kind": "patch", "version": str(number), "overrides": overrides},
        "splits": [{"uid": "a" * 36, "digest": seen.digest.hex(), "managers": [["kubectl"]]}],
        "live": {"digest": echo.digest.hex(), "managers": [["smi-adaptor", "Update"]]},
        "services": ["blue", "green", service],
        "fingerprint": seen.digest.hex()[:16],
    }
    yield Entry(
        kind="translated",
        at=at + 1,
        detail=msgspec.json.encode(decision),
        reconcile=reconcile,
        namespace=namespace,
        service=service,
        split=service,
    )
    yield Entry(
        kind="synced",
        at=at + 2,
        detail=b'{"plan":"patch","status":200,"durations":{"queued":0.0001,"decided":0.0001,'
        b'"committed":0.0021,"written":0.0043,"total":0.0066}}',
        reconcile=reconcile,
        outcome="patched",
        resource_version=str(number + 1),
        namespace=namespace,
        service=service,
        split=service,
    )
    yield Entry(
        kind="observed",
        at=at + 3,
        detail=_observed("serviceprofiles", name, "echo", echo),
        namespace=namespace,
        service=service,
        actor="smi-adaptor",
        resource_version=str(number + 1),
        documents=(echo,),
    )


def _object(kind: str, name: str, namespace: str, number: int) -> dict[str, object]:
    return {
        "apiVersion": "example/v1",
        "kind": kind,
        "metadata": {
            "creationTimestamp": "2026-06-01T00:00:00Z",
            "generation": number,
            "name": name,
            "namespace": namespace,
            "resourceVersion": str(number),
            "uid": "4a3f1c9e-0b57-4b0f-9f0b-6a1e2d3c4b5a",
        },
    }


def _observed(resource: str, name: str, change: str, body: Document) -> bytes:
    return msgspec.json.encode(
        {
            "object": resource,
            "name": name,
            "type": change,
            "uid": "4a3f1c9e-0b57-4b0f-9f0b-6a1e2d3c4b5a",
            "digest": body.digest.hex(),
            "managers": [["kubectl", "Update", "2026-06-01T00:00:00Z"]],
        }
    )


async def _journal(directory: Path, rows: list[Entry]) -> float:
    journal = Journal(
        url=str(directory / "audit.sqlite"),
        version="bench",
        host="bench",
        settings={},
        cluster_domain="cluster.local",
        retention=Retention(),
    )
    await journal.open()
    waiting = iter(rows)

    async def call() -> None:
        for entry in waiting:
            journal.append(entry)
            if not await journal.commit():
                raise RuntimeError(f"a row was not made durable: {journal.degraded}")

    try:
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for _ in range(_CALLERS):
                group.create_task(call())
        return time.monotonic() - began
    finally:
        await journal.close()


def _plain(directory: Path, rows: list[Entry]) -> float:
    values = [
        (
            *(row.kind, row.at, row.detail, row.namespace, row.split, row.service, row.outcome),
            *(row.actor, row.reconcile, row.resource_version),
            b"".join(found.body for found in row.documents),
        )
        for row in rows
    ]
    connection = sqlite3.connect(directory / "plain.sqlite", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE plain (a, b, c, d, e, f, g, h, i, j, k)")
    began = time.monotonic()
    for start in range(0, len(values), _CALLERS):
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT INTO plain VALUES (?,?,?,?,?,?,?,?,?,?,?)", values[start : start + _CALLERS]
        )
        connection.execute("COMMIT")
    took = time.monotonic() - began
    connection.close()
    return took


def main(directory: Path, count: int, *, plain: bool) -> None:
    """Builds the rows, writes them, prints rows per second."""
    rows = entries(count)
    if plain:
        took = _plain(directory, rows)
    else:
        took = uvloop.run(_journal(directory, rows))
        _check(directory / "audit.sqlite", count)
    print(count / took)


def _check(path: Path, count: int) -> None:
    """What was waited for is there, and the rows of the run's beginning and end beside it."""
    connection = sqlite3.connect(path)
    (found,) = connection.execute("SELECT count(*) FROM entries").fetchone()
    (bodies,) = connection.execute("SELECT count(*) FROM documents").fetchone()
    connection.close()
    if found != count + 2 or bodies != count // 2:
        raise RuntimeError(f"{count} rows written, {found} rows and {bodies} documents found")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), plain=sys.argv[3:] == ["--plain"])
