"""An adaptor starts on the recorded logs, and reads the rows of every release alike."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from reactor.audit.chain import verify
from reactor.audit.query.filters import Filters
from reactor.audit.row import COLUMNS, Row
from reactor.events import Key
from reactor.handlers.memory import Memory
from reactor.handlers.recall import recall
from reactor.replay.jobs import parts
from reactor.replay.report import Summary, text
from reactor.replay.source import LogFile
from reactor.sandbox.crds import service_profile
from reactor.sandbox.server import Sandbox
from reactor.translate import recorded
from tests.cluster.api import SERVICEPROFILES, TRAFFICSPLITS, Api
from tests.cluster.crds import permissive_traffic_split_crd
from tests.contract.adaptor import Adaptor
from tests.corpus import logs
from tests.unit.audit.logs import opened

FOUND = logs()
AGE = "-audit-retention-age=36500d"
"""The recorded logs grow older than what is kept else."""
each = pytest.mark.parametrize("log", FOUND, ids=lambda log: str(log.stem))
Form = Callable[[Row, dict[bytes, bytes]], str]


def today(row: Row, documents: dict[bytes, bytes]) -> str:
    """What is decided, as this release writes it."""
    attempt = json.loads(row.detail)["attempt"]
    found = recorded.decode(row.detail.encode(), row.digests, documents.__getitem__)
    mark = json.loads(row.detail)["fingerprint"]
    return recorded.encode(*found, attempt, mark).decode()


def first(row: Row, documents: dict[bytes, bytes]) -> str:
    """The same as it was recorded: by the first release, which wrote all out."""
    return row.detail


def crashed(log: Path, to: Path, form: Form) -> set[Key]:
    """A copy whose decisions are in this form and left open; gives their services."""
    shutil.copy(log, to)
    with closing(sqlite3.connect(to)) as connection, connection:
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in triggers.fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        stored = connection.execute("SELECT digest, body FROM documents").fetchall()
        documents = {digest: body.encode() for digest, body in stored}
        decided = [
            Row(*values)
            for values in connection.execute(
                f"SELECT {', '.join(COLUMNS)} FROM entries WHERE kind = 'translated'"
            )
        ]
        for row in decided:
            connection.execute(
                "UPDATE entries SET detail = ? WHERE run = ? AND seq = ?",
                (form(row, documents), row.run, row.seq),
            )
        connection.execute("DELETE FROM entries WHERE kind = 'synced'")
        connection.execute("UPDATE runs SET ended = NULL")
    return {Key(row.namespace or "", row.service or "") for row in decided}


@each
async def test_rows_of_the_first_release_and_of_this_one_tell_a_start_the_same(
    log: Path, tmp_path: Path
) -> None:
    told = []
    for form in (first, today):
        copy = tmp_path / f"{form.__name__}.sqlite"
        services = crashed(log, copy, form)
        memory = Memory()
        async with opened(copy) as journal:
            found = await journal.recall()
        assert found.known
        known = recall(found, memory=memory, domain="cluster.local")
        assert known.left_open
        told.append(
            (
                known,
                {key: (memory.asked(key), memory.good(key)) for key in services},
                {key: (memory.fingerprint(key), memory.absence_doubted(key)) for key in services},
            )
        )
    assert told[0] == told[1]


@each
async def test_an_adaptor_goes_on_with_a_recorded_log(log: Path, tmp_path: Path) -> None:
    """Its chain holds over both, and all decisions, old and new, are made again the same."""
    definitions = (permissive_traffic_split_crd(), service_profile())
    async with Sandbox(definitions=definitions) as sandbox:
        kubeconfig = sandbox.write_kubeconfig(tmp_path / "kubeconfig")
        adaptor = Adaptor(kubeconfig=kubeconfig, directory=tmp_path, flags=(AGE,))
        shutil.copy(log, adaptor.log_file)
        async with Api.connect(kubeconfig) as api:
            before = {(row["run"], row["seq"]) for row in await adaptor.rows()}
            await adaptor.start()
            try:
                await api.create(TRAFFICSPLITS, _split(), "default")
                await api.wait_for(
                    SERVICEPROFILES, "web.default.svc.cluster.local", "default", bool, timeout=60.0
                )
                await adaptor.idle()
            finally:
                await adaptor.stop()
    after = await adaptor.rows()
    assert before < {(row["run"], row["seq"]) for row in after}
    assert [row for row in after if row["kind"] in ("gap", "purged")] == []
    assert (await verify(str(adaptor.log_file))).problem is None
    summary, told = await asyncio.to_thread(_replayed, adaptor.log_file)
    assert summary.clean, told


def _replayed(log: Path) -> tuple[Summary, str]:
    source, summary = LogFile(log), Summary()
    span = source.span(Filters())
    told = "\n".join(text(parts(source, Filters(), span, jobs=1), summary))
    return summary, told


def _split() -> dict[str, object]:
    return {
        "apiVersion": "split.smi-spec.io/v1alpha1",
        "kind": "TrafficSplit",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"service": "web", "backends": [{"service": "a", "weight": 1}]},
    }
