"""A node's word about its pods: no kubelet runs, so somebody has to say that they do."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from tests.cluster.api import Api, ApiError, Object
from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubelet import Kubelet
from tests.cluster.resources import NODES, PODS
from tests.guide import job

_HEARTBEAT_SECONDS = 10.0
_LOOK_SECONDS = 0.1


class Node:
    """Takes every pod of the cluster, says that it runs, and lets it go when it is deleted.

    A thread with a loop of its own, so that tests may wait for commands meanwhile. The pods of
    Jobs are over when their work is done.
    """

    def __init__(self, kubelet: Kubelet, *, plane: ControlPlane) -> None:
        self._kubelet = kubelet
        self._plane = plane
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
        # Asking again and again, and no watch: one that is cut off outlives its loop.
        async with Api.connect(self._plane.admin_kubeconfig) as api:
            await self._kubelet.register(api)
            beaten = -_HEARTBEAT_SECONDS
            while not self._stopped.is_set():
                if self._loop.time() - beaten >= _HEARTBEAT_SECONDS:
                    beaten = self._loop.time()
                    await self._beat(api)
                    self._registered.set()
                for pod in await api.items(PODS):
                    await self._attend(api, pod)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopped.wait(), _LOOK_SECONDS)

    async def _beat(self, api: Api) -> None:
        """Without it the control plane would take the node, and with it its pods, for lost."""
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

    async def _attend(self, api: Api, pod: Object) -> None:
        name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
        try:
            if "deletionTimestamp" in pod["metadata"]:
                await api.delete(PODS, name, namespace, options={"gracePeriodSeconds": 0})
            elif "nodeName" not in pod["spec"]:
                await self._bind(api, name, namespace)
            elif pod["status"].get("phase") == "Pending":
                ended = await job.finish(api, self._plane, pod) if _is_of_a_job(pod) else None
                status = _status(pod, ended)
                await api.patch(PODS, name, status, namespace, subresource="status")
        except ApiError as error:
            # A pod may have changed or gone since it was listed: the next look tells.
            if error.status not in (404, 409):
                raise

    async def _bind(self, api: Api, name: str, namespace: str) -> None:
        target = {"apiVersion": "v1", "kind": "Node", "name": self._kubelet.node}
        binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name}}
        path = PODS.path(namespace, name) + "/binding"
        status, body = await api.request("POST", path, json_body={**binding, "target": target})
        if status > 399:
            raise ApiError(status, body, f"POST {path}")


def _status(pod: Object, ended: int | None) -> Object:
    """Ready when it runs; with an exit code, over."""
    done = ended is not None
    state: Object = {"running": {"startedAt": _now()}}
    phase = "Running"
    if done:
        state = {"terminated": {"exitCode": ended, "finishedAt": _now()}}
        phase = "Failed" if ended else "Succeeded"
    ready = ("PodScheduled", "Initialized", *(() if done else ("ContainersReady", "Ready")))
    return {
        "status": {
            "phase": phase,
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


def _is_of_a_job(pod: Object) -> bool:
    return any(owner["kind"] == "Job" for owner in pod["metadata"].get("ownerReferences", []))


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
