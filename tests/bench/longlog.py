"""A long log with a valid chain, as years of canaries would leave it: for measuring questions.

`python -m tests.bench.longlog FILE ROWS`.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

import msgspec
from sqlalchemy import create_engine

from reactor.audit.engine import LOG_PAGE
from reactor.audit.entry import Entry
from reactor.audit.ledger import Ledger, Start
from reactor.audit.schema import HEAD, metadata
from reactor.model.meta import Document

FORMAT: Final = 2
"""Another one, and a log that is kept is made anew."""
SPLITS: Final = 5_000
NAMESPACES: Final = 200
ACTORS: Final = ("flagger", "rollouts-controller", "failover", "kubectl-edit")
_SPLIT: Final = "14d48f28-29af-4fb7-b2e2-70cc640911f8"
_PROFILE: Final = "1067f274-46d2-4d24-825e-2ac1412d18b1"
_SEEN: Final = ["flagger", "Update", "2026-11-23T07:28:25Z", False]
_GROUP: Final = 5_000
RUN: Final = 40_000
"""Rows after which the program is started anew."""
FIRST: Final = 1_767_225_600_000_000
"""When the log begins, in microseconds."""
STEP: Final = 100_000
"""Microseconds between two changes."""


def reconcile(number: int) -> str:
    """The id of a change."""
    return f"{number:08x}-{_which(number):04x}"


def _which(number: int) -> int:
    return number * 7919 % SPLITS


def _document(kind: str, namespace: str, name: str, weight: int, number: int) -> Document:
    body = msgspec.json.encode(
        {
            "apiVersion": "split.smi-spec.io/v1alpha2",
            "kind": kind,
            "metadata": {
                "name": name,
                "namespace": namespace,
                "creationTimestamp": "2026-01-01T00:00:00Z",
                "generation": number,
                "resourceVersion": str(number),
                "uid": _SPLIT,
            },
            "spec": {
                "service": name,
                "backends": [
                    {"service": f"{name}-primary", "weight": 100 - weight},
                    {"service": f"{name}-canary", "weight": weight},
                ],
            },
        }
    )
    return Document(sha256(body).digest(), body)


def changes() -> Iterator[Entry]:
    """Four rows for every change: seen, decided, done, echoed."""
    number = 0
    while True:
        number += 1
        which = _which(number)
        name, namespace = f"web-{which // NAMESPACES}", f"team-{which % NAMESPACES}"
        at, weight = FIRST + number * STEP, number // SPLITS % 100
        split = _document("TrafficSplit", namespace, name, weight, number)
        profile = _document("ServiceProfile", namespace, name, weight, number)
        key = reconcile(number)
        invalid, failed = number % 50 == 0, number % 211 == 0
        finding = {
            "reason": "ShadowedBy" if number % 100 else "InvalidWeight",
            "split": name,
            "message": f"backend {name}-canary has weight {weight} that can't be read",
        }
        overrides = [
            {"authority": f"{name}-{leaf}.{namespace}.svc.cluster.local", "weight": str(share)}
            for leaf, share in (("primary", 100 - weight), ("canary", weight))
        ]
        common: dict[str, Any] = {"namespace": namespace, "service": name, "reconcile": key}
        yield Entry(
            kind="observed",
            at=at,
            split=name,
            actor=ACTORS[0 if number % 97 else number % 4],
            resource_version=str(number),
            detail=_encode(
                object="trafficsplits",
                name=name,
                type="modified",
                uid=_SPLIT,
                managers=[_SEEN],
            ),
            documents=(split,),
            **common,
        )
        yield Entry(
            kind="translated",
            at=at + 400,
            split=name,
            detail=_encode(
                attempt=1,
                fingerprint=split.digest.hex()[:32],
                namespace=namespace,
                service=name,
                splits=[{"name": name, "managers": [_SEEN]}],
                services={f"{name}-primary": "present", f"{name}-canary": "present"},
                desired={
                    "overrides": overrides,
                    "winner": name,
                    "uid": _SPLIT,
                    **({"valid": False, "findings": [finding]} if invalid else {}),
                },
                plan={
                    "type": "patch",
                    "name": f"{name}.{namespace}.svc.cluster.local",
                    "uid": _PROFILE,
                    "resource_version": str(number),
                },
                asked={"overrides": overrides},
            ),
            documents=(split,),
            **common,
        )
        yield Entry(
            kind="synced",
            at=at + 8000,
            split=name,
            outcome="failed" if failed else "invalid" if invalid else "patched",
            detail=_encode(
                plan="patch",
                attempt=1,
                status=500 if failed else 200,
                durations={"queued": 0.0005, "decided": 0.0001, "committed": 0.002, "total": 0.01},
                **({"message": "etcdserver: request timed out"} if failed else {}),
            ),
            **common,
        )
        yield Entry(
            kind="observed",
            at=at + 9000,
            actor="smi-adaptor",
            resource_version=str(number),
            detail=_encode(
                object="serviceprofiles",
                name=name,
                type="echo",
                uid=_PROFILE,
                managers=[["smi-adaptor", "Update", "2026-11-23T07:28:25Z", True]],
            ),
            documents=(profile,),
            **common,
        )


def ends(at: int) -> Iterator[Entry]:
    """Everything is gone: what a cluster without these splits has a log of."""
    for which in range(SPLITS):
        name, namespace = f"web-{which // NAMESPACES}", f"team-{which % NAMESPACES}"
        for kind, uid in (("TrafficSplit", _SPLIT), ("ServiceProfile", _PROFILE)):
            last = _document(kind, namespace, name, 0, 0)
            yield Entry(
                kind="observed",
                at=at,
                namespace=namespace,
                service=name,
                split=name if kind == "TrafficSplit" else None,
                detail=_encode(
                    object=kind.lower() + "s",
                    name=name,
                    type="deleted",
                    uid=uid,
                ),
                documents=(last,),
            )


def _encode(**fields: object) -> bytes:
    return msgspec.json.encode(fields)


def write(path: Path, rows: int, *, ended: bool = False) -> None:
    """Make the file; nothing is synced on the way. ``ended``: `ends` come behind the rows."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA page_size={LOG_PAGE}")
        connection.execute("PRAGMA journal_mode=WAL")
    engine = create_engine(f"sqlite:///{path}")
    metadata.create_all(engine)
    engine.dispose()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA cache_size=-500000")
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        connection.execute("INSERT INTO alembic_version VALUES (?)", (HEAD,))
        ledger = Ledger()
        last = ends(FIRST + (rows // 4 + 1) * STEP) if ended else ()
        wanted = chain(islice(changes(), rows), last)
        at, written = FIRST, 0
        while group := list(islice(wanted, _GROUP)):
            if written % RUN == 0:
                ledger.begin(connection, Start(at, "1.2.3", "node", "{}", "cluster.local"))
            written += len(group)
            at = group[-1].at
            ledger.write(connection, group)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]))
