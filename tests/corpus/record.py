"""`python -m tests.corpus.record [NAME ...]`: records the logs of the corpus anew."""

from __future__ import annotations

import contextlib
import sqlite3
import sys
import tempfile
from pathlib import Path

import uvloop

from reactor.sandbox.crds import service_profile
from reactor.sandbox.server import Sandbox
from tests.cluster.api import Api
from tests.cluster.control_plane import ADAPTOR
from tests.cluster.crds import permissive_traffic_split_crd
from tests.cluster.prepare import apply_roles, ensure_namespace
from tests.contract.adaptor import Adaptor
from tests.contract.cluster import Cluster
from tests.corpus import FOLDER
from tests.corpus.scenarios import LOGS, Scenario

_PAGE = 512
"""Bytes of a page: most of a small log's pages would be empty at SQLite's 4,096."""


def record(name: str, target: Path) -> None:
    """Play the scenarios of a log to an adaptor, and keep what it wrote."""
    with tempfile.TemporaryDirectory() as scratch, contextlib.chdir(scratch):
        # Everything is named from here: a run's settings are part of its log.
        uvloop.run(_play(LOGS[name]))
        log = Path("audit.sqlite")
        _shrink(log)
        target.write_bytes(log.read_bytes())


async def _play(scenarios: tuple[Scenario, ...]) -> None:
    here = Path()
    definitions = (permissive_traffic_split_crd(), service_profile())
    async with Sandbox(definitions=definitions) as sandbox:
        admin = sandbox.write_kubeconfig(Path("admin"))
        kubeconfig = sandbox.write_kubeconfig(Path("kubeconfig"), user=ADAPTOR)
        async with Api.connect(admin) as api:
            await apply_roles(api)
            adaptor = Adaptor(kubeconfig=kubeconfig, directory=here)
            await adaptor.start()
            try:
                for scenario in scenarios:
                    namespace = scenario.__name__.replace("_", "-")
                    await ensure_namespace(api, namespace)
                    cluster = Cluster("sandbox", api, namespace, kubeconfig, here, sandbox=sandbox)
                    await scenario(cluster, adaptor)
                    await adaptor.idle()
            finally:
                await adaptor.stop()


def _shrink(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute(f"PRAGMA page_size={_PAGE}")
        connection.execute("VACUUM")


def main(names: list[str]) -> None:
    """Record these logs, or all."""
    for name in names or sorted(LOGS):
        target = FOLDER / f"{name}.sqlite"
        record(name, target)
        print(f"{target.relative_to(FOLDER.parent.parent)}: {target.stat().st_size} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
