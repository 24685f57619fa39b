"""The adaptor's process, as the pod of its Deployment would run it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cluster.adaptor import AdaptorProcess
from tests.cluster.api import Object
from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubelet import Kubelet
from tests.guide.shell import Shell
from tests.guide.waiting import until

# What says where this machine's process listens and keeps its files, and not the pod's.
_ELSEWHERE = ("kubeconfig", "metrics-addr", "audit-url", "admin-auth")


class AdaptorPod:
    """Arguments, environment and rights of the one pod of Deployment smi-adaptor."""

    def __init__(self, shell: Shell, *, namespace: str) -> None:
        self._shell = shell
        self.namespace = namespace
        self._pod: Object = until(self._find, what=f"a running pod smi-adaptor in {namespace}")

    @property
    def name(self) -> str:
        """The pod's."""
        return str(self._pod["metadata"]["name"])

    @property
    def container(self) -> Object:
        """The adaptor's container, as it lies in the cluster."""
        found: Object = next(
            one for one in self._pod["spec"]["containers"] if one["name"] == "smi-adaptor"
        )
        return found

    @property
    def arguments(self) -> list[str]:
        """Its arguments without those that this machine answers differently."""
        given = [str(one) for one in self.container.get("args", [])]
        return [one for one in given if one.lstrip("-").partition("=")[0] not in _ELSEWHERE]

    @property
    def environment(self) -> dict[str, str]:
        """Its variables, with the pod's own fields in them."""
        fields = {
            "metadata.name": self.name,
            "metadata.namespace": self.namespace,
        }
        found = {}
        for one in self.container.get("env", []):
            if "valueFrom" in one:
                found[one["name"]] = fields[one["valueFrom"]["fieldRef"]["fieldPath"]]
            else:
                found[one["name"]] = one["value"]
        return found

    def kubeconfig(self, path: Path, plane: ControlPlane) -> Path:
        """One for a token of its service account, and no other rights."""
        account = self._pod["spec"]["serviceAccountName"]
        token = self._shell.run(f"kubectl create token {account} -n {self.namespace}").strip()
        claims = token.split(".")[1]
        subject = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["sub"]
        assert subject == f"system:serviceaccount:{self.namespace}:{account}"
        plane.write_kubeconfig(path, token)
        return path

    @contextmanager
    def running(
        self, directory: Path, *, plane: ControlPlane, kubelet: Kubelet
    ) -> Iterator[AdaptorProcess]:
        """The process, ready, with the pod's port leading to it."""
        directory.mkdir(parents=True)
        # In the pod it elects by itself; with a kubeconfig it takes itself for somebody's set-up.
        elected = ["-leader-elect"] if "POD_NAMESPACE" in self.environment else []
        process = AdaptorProcess(
            directory,
            kubeconfig=self.kubeconfig(directory / "kubeconfig", plane),
            arguments=[*elected, *self.arguments],
            environment=self.environment,
        )
        with process:
            port = int(process.address.rpartition(":")[2])
            kubelet.serve(self.namespace, self.name, {9995: port})
            kubelet.show_log(self.namespace, self.name, "smi-adaptor", process.log_path)
            try:
                yield process
            finally:
                kubelet.forget(self.namespace, self.name)

    def _find(self) -> Object | None:
        line = f"kubectl get pods -n {self.namespace} -l component=smi-adaptor"
        running = [
            pod
            for pod in self._shell.objects(line)
            if pod["status"].get("phase") == "Running"
            and "deletionTimestamp" not in pod["metadata"]
        ]
        return running[0] if len(running) == 1 else None
