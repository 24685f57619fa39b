"""A loopback stub of the kubelet's side, the one pretended part: no kubelet runs in tests.

What the API server reaches is the streaming code of real container runtimes (tests/tools/kubelet);
the pods behind it are pretended: their ports are ports of this machine.
"""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.cluster import binaries
from tests.cluster.api import Api, Object
from tests.cluster.ports import free_port
from tests.cluster.process import Child, Keeper
from tests.cluster.resources import NODES, PODS

_READY_SECONDS = 30.0


class Kubelet:
    """Runs the stub; synchronous like ControlPlane, whose server certificate it shows.

    `register` makes a Node of it, `run` a Pod on that Node.
    """

    def __init__(self, directory: Path, *, certificates: Path, node: str = "loopback") -> None:
        self.node = node
        self._directory = directory
        self._certificates = certificates
        self._port = free_port()
        self._pods: dict[str, dict[str, int]] = {}
        self._logs: dict[str, str] = {}
        self._keeper: Keeper | None = None
        self._child: Child | None = None

    def start(self) -> None:
        """Returns when it listens. Raises binaries.Unavailable."""
        program = binaries.path_of(binaries.KUBELET_STUB)
        self._directory.mkdir(parents=True, exist_ok=True)
        self._write()
        self._keeper = Keeper()
        self._child = Child(
            name="kubelet-stub",
            command=[
                str(program),
                f"-address=127.0.0.1:{self._port}",
                f"-tls-cert-file={self._certificates / 'server.crt'}",
                f"-tls-private-key-file={self._certificates / 'server.key'}",
                f"-pods={self._pods_file}",
                f"-logs={self._logs_file}",
            ],
            log=self._directory / "kubelet-stub.log",
            keeper=self._keeper,
        )
        try:
            self._child.await_ready(self._ready, timeout=_READY_SECONDS)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Ends it."""
        if self._child is not None:
            self._child.stop(kill=True)
            self._child = None
        if self._keeper is not None:
            self._keeper.close()
            self._keeper = None

    async def register(self, api: Api) -> None:
        """A Node whose kubelet this is."""
        await api.ensure({"apiVersion": "v1", "kind": "Node", "metadata": {"name": self.node}})
        status = {
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": self._port}},
        }
        await api.patch(NODES, self.node, {"status": status}, subresource="status")

    async def run(
        self,
        api: Api,
        namespace: str,
        name: str,
        *,
        ports: Mapping[int, int],
        labels: Mapping[str, str] | None = None,
    ) -> Object:
        """A Pod that is ready, and whose ports lead to those ports of this machine."""
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"namespace": namespace, "name": name, "labels": dict(labels or {})},
            "spec": {
                "nodeName": self.node,
                "containers": [{"name": "main", "image": "none.invalid/none"}],
                "terminationGracePeriodSeconds": 0,
            },
        }
        await api.create(PODS, pod)
        self.serve(namespace, name, ports)
        conditions = [{"type": kind, "status": "True"} for kind in ("Ready", "ContainersReady")]
        status = {"phase": "Running", "conditions": conditions}
        return await api.patch(PODS, name, {"status": status}, namespace, subresource="status")

    def serve(self, namespace: str, name: str, ports: Mapping[int, int]) -> None:
        """From now on these ports of a Pod lead to those of this machine."""
        self._pods[f"{namespace}/{name}"] = {str(port): there for port, there in ports.items()}
        self._write()

    def show_log(self, namespace: str, name: str, container: str, log: Path) -> None:
        """From now on `kubectl logs` of the container gives this file, whole."""
        self._logs[f"{namespace}/{name}/{container}"] = str(log)
        self._write()

    def forget(self, namespace: str, name: str) -> None:
        """The Pod's processes are gone; the object may stand still."""
        self._pods.pop(f"{namespace}/{name}", None)
        self._write()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def _pods_file(self) -> Path:
        return self._directory / "pods.json"

    @property
    def _logs_file(self) -> Path:
        return self._directory / "logs.json"

    def _write(self) -> None:
        for path, content in ((self._pods_file, self._pods), (self._logs_file, self._logs)):
            fresh = path.with_suffix(".new")
            fresh.write_text(json.dumps(content), encoding="utf-8")
            fresh.replace(path)

    def _ready(self) -> bool:
        context = ssl.create_default_context(cafile=self._certificates / "ca.crt")
        url = f"https://127.0.0.1:{self._port}/healthz"
        try:
            with urllib.request.urlopen(url, timeout=5.0, context=context) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False
