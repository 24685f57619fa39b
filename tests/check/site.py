"""A cluster where the chart is installed, its adaptor runs, and people type `linkerd smi check`."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.chart.render import one
from tests.cluster.adaptor import AdaptorProcess
from tests.cluster.api import Api, Object, Objects, Resource
from tests.cluster.control_plane import ControlPlane
from tests.cluster.crds import service_profile_crd
from tests.cluster.kubelet import Kubelet
from tests.cluster.prepare import apply_definitions
from tests.cluster.resources import PODS

NAMESPACE = "linkerd-smi"
POD = "smi-adaptor-1"
DEPLOYMENTS = Resource("apps", "v1", "deployments")
CLUSTER_ROLES = Resource("rbac.authorization.k8s.io", "v1", "clusterroles", namespaced=False)
CLUSTER_BINDINGS = Resource(
    "rbac.authorization.k8s.io", "v1", "clusterrolebindings", namespaced=False
)
_PORT = 9995


@dataclass(frozen=True)
class Checked:
    """How a check ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def checks(self) -> dict[str, dict[str, str]]:
        """By description, of a check with `-o json`."""
        (category,) = json.loads(self.stdout)["categories"]
        return {check["description"]: check for check in category["checks"]}

    def find(self, description: str) -> dict[str, str]:
        """The check whose description begins so."""
        (found,) = (check for name, check in self.checks.items() if name.startswith(description))
        return found

    @property
    def unwell(self) -> list[str]:
        """The descriptions of what is not fine."""
        return [name for name, check in self.checks.items() if check["result"] != "success"]


@dataclass(frozen=True)
class Site:
    """The control plane with the adaptor, whose pod is pretended and whose process is not."""

    plane: ControlPlane
    kubelet: Kubelet
    adaptor: AdaptorProcess
    objects: Objects

    async def install(self, api: Api) -> None:
        """The chart's objects, Linkerd's ServiceProfile, and one pod of the Deployment."""
        await apply_definitions(
            api, service_profile_crd(), one(self.objects, "CustomResourceDefinition", SPLITS)
        )
        await api.ensure(
            {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {"name": NAMESPACE, "labels": {"linkerd.io/extension": "smi"}},
            }
        )
        await api.ensure(
            *(found for found in self.objects if found["kind"] != "CustomResourceDefinition")
        )
        await self.kubelet.register(api)
        await self.run_pod(api)

    async def run_pod(self, api: Api, *, proxy: bool = True) -> None:
        """A pod as the Deployment asks for it, injected or not, that runs and is ready."""
        template = one(self.objects, "Deployment")["spec"]["template"]
        spec = {**template["spec"], "nodeName": self.kubelet.node}
        if proxy:
            sidecar = {"name": "linkerd-proxy", "image": "none.invalid/none"}
            spec["containers"] = [*spec["containers"], sidecar]
        metadata = {**template["metadata"], "name": POD, "namespace": NAMESPACE}
        await api.create(
            PODS, {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
        )
        self.kubelet.serve(NAMESPACE, POD, {_PORT: self.port})
        names = [container["name"] for container in spec["containers"]]
        await self.say(api, dict.fromkeys(names, True))

    async def end_pod(self, api: Api) -> None:
        """The pod is gone."""
        self.kubelet.forget(NAMESPACE, POD)
        await api.delete(PODS, POD, NAMESPACE, options={"gracePeriodSeconds": 0})

    async def say(self, api: Api, ready: dict[str, bool]) -> None:
        """What a kubelet would tell of the pod's containers."""
        statuses = [
            {
                "name": name,
                "ready": well,
                "restartCount": 0,
                "image": "none",
                "imageID": "none",
                "state": {"running": {}},
            }
            for name, well in ready.items()
        ]
        status = {"phase": "Running", "containerStatuses": statuses}
        await api.patch(PODS, POD, {"status": status}, NAMESPACE, subresource="status")

    @property
    def port(self) -> int:
        """Where the adaptor's process listens."""
        return int(self.adaptor.url.rpartition(":")[2])

    async def check(self, *arguments: str, kubeconfig: Path | None = None) -> Checked:
        """`linkerd-smi check` with these arguments, as a process."""
        command = self.command(*arguments, kubeconfig=kubeconfig)
        process = await asyncio.create_subprocess_exec(
            *command, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        stdout, stderr = await asyncio.wait_for(process.communicate(), 60.0)
        assert process.returncode is not None
        return Checked(process.returncode, stdout.decode(), stderr.decode())

    def command(self, *arguments: str, kubeconfig: Path | None = None) -> list[str]:
        """What is typed."""
        config = kubeconfig or self.plane.admin_kubeconfig
        program = [sys.executable, "-m", "reactor.cli.extension", "check"]
        return [*program, f"--kubeconfig={config}", *arguments]


SPLITS = "trafficsplits.split.smi-spec.io"


@asynccontextmanager
async def changed(
    api: Api,
    resource: Resource,
    name: str,
    namespace: str | None,
    change: Callable[[Object], object],
) -> AsyncIterator[None]:
    """The object with a change, until this is left."""
    before = await api.get(resource, name, namespace)
    after = json.loads(json.dumps(before))
    change(after)
    await api.replace(resource, after)
    try:
        yield
    finally:
        now = await api.get(resource, name, namespace)
        version = now["metadata"]["resourceVersion"]
        before["metadata"]["resourceVersion"] = version
        await api.replace(resource, before)


@asynccontextmanager
async def added(api: Api, *documents: Object) -> AsyncIterator[None]:
    """These objects are there until this is left."""
    made = []
    try:
        for document in documents:
            resource = await api.resource_of(document)
            await api.create(resource, document)
            made.append((resource, document["metadata"]))
        yield
    finally:
        for resource, metadata in reversed(made):
            await api.delete(resource, metadata["name"], metadata.get("namespace"))
