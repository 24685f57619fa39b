"""Recorded events happen again on a real kube-apiserver, and never unasked on their own."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest_asyncio

from reactor.kube.connection import Connection
from reactor.replay.origin import recorded_here
from reactor.replay.source import LogFile
from tests.cluster.api import TRAFFICSPLITS, Api
from tests.cluster.control_plane import ControlPlane
from tests.cluster.prepare import empty_namespace, ensure_namespace, use_shipped_splits
from tests.contract.adaptor import Adaptor
from tests.contract.cluster import Cluster
from tests.corpus import FOLDER
from tests.replay.command import replay

NAMESPACE = "sharing"


@pytest_asyncio.fixture
async def adaptor(
    control_plane: ControlPlane, admin: Api, tmp_path: Path
) -> AsyncIterator[Adaptor]:
    """An adaptor on the real control plane, and the corpus' namespace there for the test."""
    await ensure_namespace(admin, NAMESPACE)
    await use_shipped_splits(admin)
    found = Adaptor(kubeconfig=control_plane.adaptor_kubeconfig, directory=tmp_path)
    try:
        yield await found.start()
    finally:
        await found.stop()
        await empty_namespace(admin, NAMESPACE)


async def played(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(replay, *arguments)


def without_identity(log: Path) -> Path:
    """A copy whose run could not ask which cluster it watched."""
    older = log.with_name("older.sqlite")
    with closing(sqlite3.connect(log)) as source, closing(sqlite3.connect(older)) as copy:
        source.backup(copy)
        for (trigger,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            copy.execute(f"DROP TRIGGER {trigger}")
        copy.execute("UPDATE runs SET settings = '{}'")
        copy.commit()
    return older


async def test_a_log_from_elsewhere_ends_there_as_it_was_recorded(
    control_plane: ControlPlane, admin: Api, adaptor: Adaptor
) -> None:
    into = ("--into", control_plane.admin_kubeconfig, "--speed", "4")
    arguments = ("--db", FOLDER / "lifecycle.sqlite", "-n", NAMESPACE, *into)

    asked = await played(*arguments)

    assert asked.returncode == 2
    assert "add --yes if that is what you want" in asked.stderr
    assert await admin.items(TRAFFICSPLITS, NAMESPACE) == []

    done = await played(*arguments, "--yes")

    assert done.returncode == 0, done.stdout + done.stderr
    *lines, summary = done.stdout.splitlines()
    assert summary == "7 events done, 1 refused; profiles as recorded: 1 of 1"
    (refused,) = [line for line in lines if "refused" in line]
    assert "zeta modified by unknown: a=-1: refused: PUT " in refused
    splits = await admin.items(TRAFFICSPLITS, NAMESPACE)
    assert {split["metadata"]["name"] for split in splits} == {"mu", "zeta"}
    live = await admin.items(TRAFFICSPLITS, NAMESPACE)
    managers = {one["manager"] for split in live for one in split["metadata"]["managedFields"]}
    assert managers == {"tests", "unknown"}


async def test_the_cluster_it_was_recorded_from_has_to_be_named_twice(
    control_plane: ControlPlane, admin: Api, adaptor: Adaptor, cluster_namespace: str
) -> None:
    cluster = Cluster(
        "real", admin, cluster_namespace, control_plane.adaptor_kubeconfig, adaptor.log_file.parent
    )
    await cluster.create_split("s", "web", [("a", 1)])
    await cluster.wait_overrides("web", [("a", "1")])
    await cluster.set_weights("s", [("a", 2)])
    await cluster.wait_overrides("web", [("a", "2")])
    await cluster.settled(adaptor)
    await adaptor.daemon.parts.journal.commit()
    arguments = ("--db", adaptor.log_file, "-n", cluster_namespace, "--split", "s", "--yes")
    into = ("--into", control_plane.admin_kubeconfig, "--speed", "100")

    refused = await played(*arguments, *into)

    assert refused.returncode == 1
    assert "is the cluster that the log was recorded from: its Service " in refused.stderr
    assert "add --yes-the-same-cluster if that is what you want" in refused.stderr
    before = await admin.get(TRAFFICSPLITS, "s", cluster_namespace)
    log = LogFile(without_identity(adaptor.log_file))
    async with Connection.from_kubeconfig(str(control_plane.admin_kubeconfig), environ={}) as live:
        known = await recorded_here(live, log, domain="cluster.local")
    assert known is not None
    assert known.endswith(" of the log is there, by its uid")

    done = await played(*arguments, *into, "--yes-the-same-cluster")

    assert done.returncode == 0, done.stdout + done.stderr
    after = await admin.get(TRAFFICSPLITS, "s", cluster_namespace)
    assert after["spec"] == before["spec"]
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
