"""`linkerd-smi audit` with nothing but a kubeconfig: it finds the adaptor of the same site."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.check.site import NAMESPACE, POD, Checked, Site, added
from tests.check.waiting import listens, until
from tests.cluster.adaptor import AdaptorProcess
from tests.cluster.api import Api
from tests.cluster.resources import Resource

ACCOUNTS = Resource("", "v1", "serviceaccounts")
READER = "auditor"
_PORT = 9995


async def audit(kubeconfig: Path, *arguments: str, token: str | None = None) -> Checked:
    """How `linkerd-smi audit` ended."""
    return await ended(kubeconfig, "audit", *arguments, token=token)


async def ended(kubeconfig: Path, *arguments: str, token: str | None = None) -> Checked:
    """How it ended, as a process."""
    environment = {**os.environ, "KUBECONFIG": str(kubeconfig)}
    environment.pop("LINKERD_SMI_TOKEN", None)
    if token is not None:
        environment["LINKERD_SMI_TOKEN"] = token
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "reactor.cli.extension", *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    )
    stdout, stderr = await asyncio.wait_for(process.communicate(), 60.0)
    assert process.returncode is not None
    return Checked(process.returncode, stdout.decode(), stderr.decode())


@pytest.fixture
def guarded(site: Site, tmp_path: Path) -> AdaptorProcess:
    """An adaptor that asks for tokens; it stands by, and answers."""
    return AdaptorProcess(
        tmp_path / "guarded",
        kubeconfig=site.plane.admin_kubeconfig,
        arguments=["--admin-auth=token"],
    )


@asynccontextmanager
async def behind_the_pod(site: Site, adaptor: AdaptorProcess) -> AsyncIterator[None]:
    """The pod's port leads to this one, until this is left."""
    try:
        await asyncio.to_thread(adaptor.start, until_ready=False)
        port = int(adaptor.url.rpartition(":")[2])
        await until(lambda: listens(adaptor.address))
        site.kubelet.serve(NAMESPACE, POD, {_PORT: port})
        yield
    finally:
        site.kubelet.serve(NAMESPACE, POD, {_PORT: site.port})
        await asyncio.to_thread(adaptor.__exit__, None, None, None)


async def test_the_log_of_the_adaptor_in_the_cluster_is_read_through_a_port_forward(
    site: Site, guarded: AdaptorProcess, boss: Api
) -> None:
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": READER},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": "smi-adaptor-audit-reader",
        },
        "subjects": [{"kind": "ServiceAccount", "name": READER, "namespace": NAMESPACE}],
    }
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": READER, "namespace": NAMESPACE},
    }
    config = site.plane.admin_kubeconfig
    as_boss = ("--as", "someone", "--as-group", "system:masters")
    async with behind_the_pod(site, guarded), added(boss, account):
        mine = await audit(config, "list", "-o", "json")
        assert (mine.code, mine.stderr) == (0, "")
        assert json.loads(mine.stdout)["entries"][-1]["kind"] == "started"

        # A replay finds it in the same way; what stands by decides nothing.
        replayed = await ended(config, "replay")
        assert (replayed.code, replayed.stdout.count("0 different")) == (0, 1), replayed.stderr

        tokenless = await audit(config, "list", *as_boss)
        assert (tokenless.code, tokenless.stdout) == (1, "")
        assert "asks for a bearer token" in tokenless.stderr
        assert "kubectl -n linkerd-smi create token" in tokenless.stderr

        token = await _token(boss)
        forbidden = await audit(config, "list", *as_boss, token=token)
        assert forbidden.code == 1
        assert "smi-adaptor-audit-reader" in forbidden.stderr
        assert token not in forbidden.stderr
        async with added(boss, binding):
            # A refusal is remembered for a minute, of a token.
            read = await audit(config, "verify", *as_boss, token=await _token(boss))
        assert read.code == 0, read.stderr
        assert read.stdout.startswith("proved: ")


async def test_who_may_not_look_for_the_adaptor_is_told_so_in_one_line(site: Site) -> None:
    ended = await audit(site.plane.stranger_kubeconfig, "list")
    assert (ended.code, ended.stdout) == (1, "")
    assert ended.stderr.count("\n") == 1
    assert "forbidden" in ended.stderr
    assert "give --url" in ended.stderr


async def _token(boss: Api) -> str:
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    status, answer = await boss.request(
        "POST", f"{ACCOUNTS.path(NAMESPACE, READER)}/token", json_body=body
    )
    assert status == 201, answer
    return str(answer["status"]["token"])
