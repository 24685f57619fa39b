"""The adaptor's pods: injected, running, their proxies healthy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reactor.check.kinds import ContainerStatus, Deployment, Pod
from reactor.check.result import Trouble, some

PROXY = "linkerd-proxy"
ADAPTOR = "smi-adaptor"
SELECTOR = "component=smi-adaptor"


def live(pods: Iterable[Pod]) -> list[Pod]:
    """The pods that count: neither on their way out nor left behind by an eviction."""
    return [
        pod
        for pod in pods
        if pod.metadata.deletion_timestamp is None
        and pod.status.phase not in ("Succeeded", "Failed")
    ]


def injected(pods: Sequence[Pod], namespace: str) -> Trouble | None:
    """Whether each pod has a proxy."""
    if not pods:
        return _none(namespace)
    bare = [pod.metadata.name for pod in pods if not _has_proxy(pod)]
    if not bare:
        return None
    return Trouble(
        f"no {PROXY} container in {some(bare)}: nobody injected it, so the adaptor's port is"
        " outside the mesh",
        f"`kubectl -n {namespace} rollout restart deploy/{ADAPTOR}`",
        warning=True,
    )


def running(deployment: Deployment | None, pods: Sequence[Pod], namespace: str) -> Trouble | None:
    """Whether as many pods as wanted run, with each container ready."""
    if deployment is None:
        return Trouble(
            f"there is no Deployment {ADAPTOR} in namespace {namespace}",
            "`linkerd smi install | kubectl apply -f -`",
        )
    replicas = deployment.spec.replicas
    wanted = 1 if replicas is None else replicas
    if wanted == 0:
        return Trouble(
            f"Deployment {ADAPTOR} is scaled to 0: nobody follows the splits",
            f"`kubectl -n {namespace} scale deploy/{ADAPTOR} --replicas=1`",
        )
    for pod in pods:
        if (problem := _unwell(pod)) is not None:
            name = pod.metadata.name
            return Trouble(problem, f"`kubectl -n {namespace} describe pod {name}`")
    if len(pods) < wanted:
        return Trouble(
            f"{len(pods)} of {wanted} pods of Deployment {ADAPTOR} are there",
            f"`kubectl -n {namespace} describe replicasets,deployments`",
        )
    return None


def proxies(pods: Sequence[Pod], namespace: str) -> Trouble | None:
    """Whether each proxy that was injected is ready; that one is missing is told elsewhere."""
    if not pods:
        return _none(namespace)
    for pod in pods:
        name = pod.metadata.name
        if not _has_proxy(pod):
            continue
        status = next((found for found in _statuses(pod) if found.name == PROXY), None)
        if status is None or not status.ready:
            return Trouble(
                f"the {PROXY} of pod {name} is not ready{_why(status)}",
                f"`kubectl -n {namespace} logs {name} -c {PROXY}`",
            )
    return None


def _none(namespace: str) -> Trouble:
    return Trouble(
        "there is no pod to look at", f"`kubectl -n {namespace} get pods -l {SELECTOR}`", True
    )


def _has_proxy(pod: Pod) -> bool:
    # As a native sidecar it is an init container.
    return any(
        container.name == PROXY
        for container in (*pod.spec.containers, *(pod.spec.init_containers or ()))
    )


def _unwell(pod: Pod) -> str | None:
    name = pod.metadata.name
    for status in _statuses(pod):
        if status.state is not None and (waits := status.state.waiting) is not None:
            if waits.reason in ("PodInitializing", "ContainerCreating"):
                continue
            return f"container {status.name} of pod {name} waits{_why(status)}"
    if pod.status.phase != "Running":
        told = next((c.message for c in pod.status.conditions or () if c.status == "False"), "")
        reason = pod.status.message or told
        return f"pod {name} is {pod.status.phase or 'new'}" + (f": {reason}" if reason else "")
    known = {status.name: status for status in pod.status.container_statuses or ()}
    for container in pod.spec.containers:
        found = known.get(container.name)
        if found is None or not found.ready:
            return f"container {container.name} of pod {name} is not ready{_why(found)}"
    return None


def _statuses(pod: Pod) -> tuple[ContainerStatus, ...]:
    status = pod.status
    return (*(status.init_container_statuses or ()), *(status.container_statuses or ()))


def _why(status: ContainerStatus | None) -> str:
    state = status.state if status is not None else None
    if state is None:
        return ""
    reason = state.waiting or state.terminated
    if reason is None:
        return ""
    told = ": ".join(part for part in (reason.reason, reason.message) if part)
    return f": {told}" if told else ""
