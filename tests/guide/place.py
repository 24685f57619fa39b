"""The guide's prerequisite: a cluster that runs Linkerd."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubelet import Kubelet
from tests.guide import core
from tests.guide.node import Node
from tests.guide.shell import Shell
from tests.guide.waiting import until


@dataclass(frozen=True)
class Place:
    """A cluster, and a terminal beside it; ``directory`` is for what else the test writes."""

    directory: Path
    plane: ControlPlane
    kubelet: Kubelet
    shell: Shell


@contextmanager
def with_linkerd(directory: Path, *, kubectl: Path, helm: Path) -> Iterator[Place]:
    """A control plane with its controllers, a node, and Linkerd's core, all of it ready."""
    with (
        ControlPlane(directory / "plane", controller_manager=True) as plane,
        Kubelet(directory / "kubelet", certificates=plane.directory) as kubelet,
        Node(kubelet, plane=plane),
    ):
        config = plane.admin_kubeconfig
        shell = Shell(directory / "home", kubeconfig=config, kubectl=kubectl, helm=helm)
        shell.apply(core.definitions())
        until(lambda: _injects(shell), what="the injector in force")
        shell.apply(core.objects())
        available = "--for=condition=Available deploy --all --timeout=30s"
        shell.run(f"kubectl wait -n {core.NAMESPACE} {available}")
        yield Place(directory=directory, plane=plane, kubelet=kubelet, shell=shell)


def _injects(shell: Shell) -> bool:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "probe", "annotations": {"linkerd.io/inject": "enabled"}},
        "spec": {"containers": [{"name": "main", "image": "none.invalid/none"}]},
    }
    line = "kubectl create -n default --dry-run=server -o json -f -"
    answered = json.loads(shell.run(line, stdin=json.dumps(pod)))
    return len(answered["spec"]["containers"]) == 2
