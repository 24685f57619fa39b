"""Which cluster it is, as far as the API server tells."""

from __future__ import annotations

from pathlib import Path

from reactor.kube.cluster import cluster_uid
from reactor.kube.connection import Connection
from reactor.sandbox.server import Sandbox


async def test_two_clusters_are_told_apart_and_one_stays_itself(tmp_path: Path) -> None:
    async with Sandbox() as one, Sandbox() as other:
        first = await asked(one, tmp_path / "one")
        assert first
        assert first == await asked(one, tmp_path / "one")
        assert first != await asked(other, tmp_path / "other")


async def test_what_tells_nothing_is_no_error(tmp_path: Path) -> None:
    async with Sandbox() as sandbox:
        sandbox.cluster.remove("services", "kubernetes", "default")
        assert await asked(sandbox, tmp_path / "kubeconfig") == ""
    assert await asked(sandbox, tmp_path / "kubeconfig") == ""


async def asked(sandbox: Sandbox, kubeconfig: Path) -> str:
    path = sandbox.write_kubeconfig(kubeconfig)
    async with Connection.from_kubeconfig(str(path), environ={}) as connection:
        return await cluster_uid(connection, patience=5.0)
