"""A node's word about its pods: no kubelet runs, so somebody has to say that they do."""

from __future__ import annotations

import asyncio
import threading
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.cluster.api import NAMESPACES, Api, ApiError, Object, Resource
from tests.cluster.kubelet import Kubelet
from tests.cluster.resources import NODES, PODS

_ACCOUNTS = Resource("", "v1", "serviceaccounts")
_HEARTBEAT_SECONDS = 10.0


class Node:
    """Takes every pod of the cluster, says that it runs, and lets it go when it is deleted.

    A thread with a loop of its own, so that tests may wait for commands meanwhile. The one pod
    that it really acts for is that of Linkerd's namespace-metadata Job: it labels the namespace,
    with the rights of that pod and no others.
    """

    def __init__(self, kubelet: Kubelet, *, kubeconfig: Path) -> None:
        self._kubelet = kubelet
        self._kubeconfig = kubeconfig
        self._loop = asyncio.new_event_loop()
        self._stopped = asyncio.Event()
        self._registered = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="node")

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._registered.wait(30.0):
            self.__exit__(None, None, None)
            raise TimeoutError("the node could not be registered in 30 s")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join()
        self._loop.close()
        if self._failure is not None and error is None:
            raise self._failure

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._live())
        except BaseException as error:
            self._failure = error
        finally:
            self._registered.set()

    async def _live(self) -> None:
        async with Api.connect(self._kubeconfig) as api:
            await self._kubelet.register(api)
            work = {
                asyncio.create_task(self._beat(api)),
                asyncio.create_task(self._look_after(api)),
            }
            over = asyncio.create_task(self._stopped.wait())
            try:
                await asyncio.wait({*work, over}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (*work, over):
                    task.cancel()
                ends = await asyncio.gather(*work, over, return_exceptions=True)
            for end in ends:
                if isinstance(end, Exception):
                    raise end

    async def _beat(self, api: Api) -> None:
        """Without it the control plane would take the node, and with it its pods, for lost."""
        while True:
            condition = {
                "type": "Ready",
                "status": "True",
                "reason": "KubeletReady",
                "lastHeartbeatTime": _now(),
            }
            await api.patch(
                NODES,
                self._kubelet.node,
                {"status": {"conditions": [condition]}},
                kind="strategic",
                subresource="status",
            )
            self._registered.set()
            await asyncio.sleep(_HEARTBEAT_SECONDS)

    async def _look_after(self, api: Api) -> None:
        while True:
            listed = await api.list(PODS)
            for pod in listed["items"]:
                await self._attend(api, pod)
            version = listed["metadata"]["resourceVersion"]
            async with aclosing(api.watch(PODS, resource_version=version)) as events:
                async for event in events:
                    if event["type"] in ("ADDED", "MODIFIED"):
                        await self._attend(api, event["object"])

    async def _attend(self, api: Api, pod: Object) -> None:
        name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
        try:
            if "deletionTimestamp" in pod["metadata"]:
                await api.delete(PODS, name, namespace, options={"gracePeriodSeconds": 0})
            elif "nodeName" not in pod["spec"]:
                await self._bind(api, name, namespace)
            elif pod["status"].get("phase") == "Pending":
                if _is_namespace_metadata(pod):
                    await self._label_namespace(api, pod)
                await api.patch(PODS, name, _running(pod), namespace, subresource="status")
        except ApiError as error:
            # Between two events a pod may have changed or gone: another event tells of it.
            if error.status not in (404, 409):
                raise

    async def _bind(self, api: Api, name: str, namespace: str) -> None:
        target = {"apiVersion": "v1", "kind": "Node", "name": self._kubelet.node}
        binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name}}
        path = PODS.path(namespace, name) + "/binding"
        status, body = await api.request("POST", path, json_body={**binding, "target": target})
        if status > 399:
            raise ApiError(status, body, f"POST {path}")

    async def _label_namespace(self, api: Api, pod: Object) -> None:
        own = pod["metadata"]["namespace"]
        (container,) = _own_containers(pod)
        given = dict(zip(container["args"][::2], container["args"][1::2], strict=True))
        account = _ACCOUNTS.path(own, pod["spec"]["serviceAccountName"])
        status, issued = await api.request("POST", f"{account}/token", json_body={"spec": {}})
        if status > 399:
            raise ApiError(status, issued, f"POST {account}/token")
        token = issued["status"]["token"]
        labels = {"linkerd.io/extension": given["--extension"]}
        async with Api.connect(self._kubeconfig, token=token) as job:
            await job.get(NAMESPACES, given["--namespace"])
            await job.patch(NAMESPACES, given["--namespace"], {"metadata": {"labels": labels}})
            await job.get(
                Resource("", "v1", "configmaps"), "linkerd-config", given["--linkerd-namespace"]
            )


def _running(pod: Object) -> Object:
    """Its status: ready, or done when it is a Job's."""
    done = pod["spec"]["restartPolicy"] == "Never"
    state: Object = {"running": {"startedAt": _now()}}
    if done:
        state = {"terminated": {"exitCode": 0, "reason": "Completed", "finishedAt": _now()}}
    ready = ("PodScheduled", "Initialized", *(() if done else ("ContainersReady", "Ready")))
    return {
        "status": {
            "phase": "Succeeded" if done else "Running",
            "startTime": _now(),
            "podIP": "127.0.0.1",
            "conditions": [{"type": kind, "status": "True"} for kind in ready],
            "containerStatuses": [
                {
                    "name": container["name"],
                    "image": container["image"],
                    "imageID": "",
                    "restartCount": 0,
                    "ready": not done,
                    "started": not done,
                    "state": state,
                }
                for container in pod["spec"]["containers"]
            ],
        }
    }


def _is_namespace_metadata(pod: Object) -> bool:
    return [one["name"] for one in _own_containers(pod)] == ["namespace-metadata"]


def _own_containers(pod: Object) -> list[Object]:
    return [one for one in pod["spec"]["containers"] if one["name"] != "linkerd-proxy"]


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
