"""`linkerd-smi version` asks the cluster what runs in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reactor import __version__
from reactor.sandbox.server import Sandbox
from tests.cli.conftest import Smi


def deployment(image: str, namespace: str = "linkerd-smi", **labels: str) -> dict[str, Any]:
    """As both programs' charts label it; the proxy stands before it, as some injectors do."""
    ours = {"linkerd.io/extension": "smi", "component": "smi-adaptor"}
    proxy = {"name": "linkerd-proxy", "image": "cr.l5d.io/linkerd/proxy:edge-1"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "smi-adaptor", "namespace": namespace, "labels": {**ours, **labels}},
        "spec": {
            "selector": {"matchLabels": ours},
            "template": {
                "metadata": {"labels": ours},
                "spec": {"containers": [proxy, {"name": "smi-adaptor", "image": image}]},
            },
        },
    }


def installed(sandbox: Sandbox, *deployments: dict[str, Any]) -> None:
    for one in deployments:
        name = one["metadata"]["namespace"]
        sandbox.cluster.create(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        )
        sandbox.cluster.create(one)


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("cr.l5d.io/linkerd/smi-adaptor:v0.2.7", "v0.2.7"),
        ("localhost:5000/smi-adaptor:0.1.0@sha256:" + 64 * "0", "0.1.0"),
        ("localhost:5000/smi-adaptor@sha256:" + 64 * "0", "from-the-chart"),
    ],
)
async def test_the_adaptors_version_is_its_images(
    smi: Smi, sandbox: Sandbox, image: str, version: str
) -> None:
    installed(sandbox, deployment(image, **{"app.kubernetes.io/version": "from-the-chart"}))
    ended = await smi("version")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == f"Client version: {__version__}\nServer version: {version}\n"
    assert (await smi("version", "--short")).out == f"{__version__}\n{version}\n"


async def test_it_is_found_wherever_it_is_installed_and_each_of_several_is_told(
    smi: Smi, sandbox: Sandbox
) -> None:
    installed(sandbox, deployment("a:2", "mesh"), deployment("a:1", "other"))
    assert "Server version: 1, 2\n" in (await smi("version")).out


async def test_a_cluster_without_an_adaptor_has_no_version_and_that_is_no_failure(
    smi: Smi,
) -> None:
    ended = await smi("version")
    assert ended.code == 0
    assert ended.out.endswith("Server version: unavailable\n")
    assert ended.err == (
        "linkerd-smi: there is no smi-adaptor in the cluster: linkerd smi install\n"
    )


async def test_a_cluster_that_does_not_answer_is_unavailable_too(
    smi: Smi, sandbox: Sandbox
) -> None:
    await sandbox.stop()
    ended = await smi("version", "--short")
    assert (ended.code, ended.out) == (0, f"{__version__}\nunavailable\n")
    assert ended.err.startswith("linkerd-smi: GET https://127.0.0.1")
    assert ended.err.count("\n") == 1


async def test_who_may_not_look_is_told_so(smi: Smi, sandbox: Sandbox) -> None:
    ended = await smi("version", "--as", "nobody")
    assert (ended.code, ended.out.splitlines()[1]) == (0, "Server version: unavailable")
    assert "nobody" in ended.err


async def test_without_a_kubeconfig_the_client_is_told_and_the_exit_code_is_1(
    smi: Smi, tmp_path: Path
) -> None:
    ended = await smi("version", "--kubeconfig", str(tmp_path / "gone"))
    assert (ended.code, ended.out) == (1, f"Client version: {__version__}\n")
    assert ended.err.count("\n") == 1


async def test_the_client_alone_asks_nobody(smi: Smi, sandbox: Sandbox, tmp_path: Path) -> None:
    before = len(sandbox.requests)
    ended = await smi("version", "--client", "--kubeconfig", str(tmp_path / "gone"))
    assert (ended.code, ended.out) == (0, f"Client version: {__version__}\n")
    assert len(sandbox.requests) == before
