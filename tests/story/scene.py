"""Where the story happens: a real control plane, the installed extension, an archive."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.archive.postgres import Postgres
from tests.cluster.adaptor import AdaptorProcess
from tests.cluster.api import Api
from tests.cluster.control_plane import ADMIN, ControlPlane
from tests.cluster.crds import REPOSITORY, service_profile_crd
from tests.cluster.kubelet import Kubelet
from tests.cluster.prepare import apply_definitions
from tests.guide.pod import AdaptorPod
from tests.guide.shell import Shell
from tests.guide.waiting import until
from tests.story.plot import Plot
from tests.story.terminal import Terminal

_EXTENSION = "linkerd-smi"
_DATABASE = "story"


@dataclass(frozen=True)
class Scene:
    """The story is told; ``adaptor`` goes on, ``terminal`` is the reader's, ``token`` lets in."""

    adaptor: AdaptorProcess
    terminal: Terminal
    token: str
    shell: Shell
    plane: ControlPlane


@contextmanager
def told(
    directory: Path,
    *,
    kubectl: Path,
    helm: Path,
    postgres: Postgres,
    between: Callable[[], None] = lambda: None,
) -> Iterator[Scene]:
    """For as long as this is entered."""
    with ExitStack() as stack:
        plane = stack.enter_context(ControlPlane(directory / "plane"))
        kubelet = stack.enter_context(Kubelet(directory / "kubelet", certificates=plane.directory))
        asyncio.run(_prepare(plane, kubelet, postgres))
        shell = Shell(
            directory / "home", kubeconfig=plane.admin_kubeconfig, kubectl=kubectl, helm=helm
        )
        (shell.home / "config").symlink_to(REPOSITORY / "config")
        (shell.home / "bin" / "psql").symlink_to(postgres.program("psql"))
        shell.run("linkerd smi install --skip-checks | kubectl apply -f -")
        _run_pod(shell, kubelet.node)
        pod = AdaptorPod(shell, namespace=_EXTENSION)
        (directory / "adaptor").mkdir()
        url = postgres.url(_DATABASE)
        adaptor = stack.enter_context(
            AdaptorProcess(
                directory / "adaptor",
                kubeconfig=pod.kubeconfig(directory / "adaptor" / "kubeconfig", plane),
                arguments=[*pod.arguments, "-admin-auth=token"],
                environment={**pod.environment, "SMI_ADAPTOR_ARCHIVE_URL": url},
            )
        )
        port = int(adaptor.address.rpartition(":")[2])
        kubelet.serve(_EXTENSION, pod.name, {9995: port})
        Plot(shell, between=between).tell()
        until(lambda: _archived(adaptor.url), what="all rows in the archive")
        terminal = stack.enter_context(
            Terminal(shell, kubeconfig=plane.admin_kubeconfig, log=adaptor.audit_path)
        )
        terminal.exports["ARCHIVE"] = url.replace("+asyncpg", "")
        yield Scene(
            adaptor=adaptor,
            terminal=terminal,
            token=plane.tokens[ADMIN],
            shell=shell,
            plane=plane,
        )


async def _prepare(plane: ControlPlane, kubelet: Kubelet, postgres: Postgres) -> None:
    async with Api.connect(plane.admin_kubeconfig) as api:
        await apply_definitions(api, service_profile_crd())
        await kubelet.register(api)
    postgres.ensure()
    await postgres.run(f"DROP DATABASE IF EXISTS {_DATABASE}")
    await postgres.run(f"CREATE DATABASE {_DATABASE}")


def _run_pod(shell: Shell, node: str) -> None:
    """The Deployment's one pod, on the node, and said to run: no controller makes it here."""
    (deployment,) = shell.objects(f"kubectl get deployments -n {_EXTENSION}")
    template = deployment["spec"]["template"]
    named = {**template["metadata"], "name": "smi-adaptor-0", "namespace": _EXTENSION}
    spec = {**template["spec"], "nodeName": node}
    shell.apply([{"apiVersion": "v1", "kind": "Pod", "metadata": named, "spec": spec}])
    ready = {"type": "Ready", "status": "True"}
    status = {"status": {"phase": "Running", "podIP": "127.0.0.1", "conditions": [ready]}}
    shell.run(
        f"kubectl -n {_EXTENSION} patch pod smi-adaptor-0 --subresource=status"
        f" --type=merge -p '{json.dumps(status)}'"
    )


def _archived(url: str) -> bool:
    with urllib.request.urlopen(f"{url}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    return "smi_adaptor_archive_lag_rows 0.0" in lines
