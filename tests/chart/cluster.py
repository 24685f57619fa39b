"""helm and kubectl as an administrator types them, against a control plane."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.api import CRDS, NAMESPACES, Api, Object, Objects, Resource
from tests.cluster.control_plane import ControlPlane

PODS = Resource("", "v1", "pods")


class RefusedError(Exception):
    """What the command printed when it failed."""


@dataclass(frozen=True)
class Shell:
    """Runs commands on one control plane; helm's own files go into ``home``."""

    plane: ControlPlane
    helm_path: Path
    kubectl_path: Path
    home: Path

    def helm(self, *arguments: str) -> str:
        """What helm prints."""
        return self._run([str(self.helm_path), *arguments])

    def kubectl(self, *arguments: str, objects: Objects | None = None) -> str:
        """What kubectl prints, given these objects with `-f -`."""
        listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects or []})
        return self._run([str(self.kubectl_path), *arguments], listed)

    def delete(self, objects: Objects) -> None:
        """Returns when they are gone."""
        for one in objects:
            if one["kind"] == "PersistentVolumeClaim":
                # It would wait for a controller that looks whether a pod uses it.
                where = ["pvc", one["metadata"]["name"], "-n", one["metadata"]["namespace"]]
                self.kubectl(
                    "patch", *where, "--type=merge", "-p", '{"metadata":{"finalizers":null}}'
                )
        self.kubectl("delete", "--ignore-not-found", "-f", "-", objects=objects)

    def _run(self, command: list[str], text: str = "") -> str:
        environ = {
            **os.environ,
            "HOME": str(self.home),
            "KUBECONFIG": str(self.plane.admin_kubeconfig),
        }
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, env=environ, input=text
        )
        if done.returncode != 0:
            raise RefusedError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
        return done.stdout


async def make_namespace(api: Api, name: str, *, level: str = "restricted") -> None:
    """A namespace where pods must meet the level of pod security."""
    labels = {"pod-security.kubernetes.io/enforce": level}
    metadata = {"name": name, "labels": labels}
    await api.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})


async def try_pod(api: Api, namespace: str, template: Object) -> tuple[int, Object]:
    """What the API server would answer to a pod of this template."""
    metadata = {**template["metadata"], "generateName": "try-"}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}
    return await api.request("POST", PODS.path(namespace), json_body=pod, params={"dryRun": "All"})


async def live(api: Api, objects: Objects) -> Objects:
    """The same objects as the API server has them."""
    found = []
    for one in objects:
        metadata = one["metadata"]
        resource = await api.resource_of(one)
        found.append(await api.get(resource, metadata["name"], metadata.get("namespace")))
    return found


async def definition_served(api: Api) -> None:
    """Returns when the API server has finished with the definition of TrafficSplit."""
    await api.wait_for(CRDS, "trafficsplits.split.smi-spec.io", None, _established)


def _established(definition: Object | None) -> bool:
    conditions = (definition or {}).get("status", {}).get("conditions") or []
    return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)
