"""The one Job that an installation makes: it labels the namespace, with its pod's rights alone."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.cluster.api import NAMESPACES, Api, ApiError, Object, Resource
from tests.cluster.control_plane import ControlPlane

_ACCOUNTS = Resource("", "v1", "serviceaccounts")
_CONFIG_MAPS = Resource("", "v1", "configmaps")


async def finish(api: Api, plane: ControlPlane, pod: Object) -> int:
    """Does the pod's work with its service account's token; gives the exit code."""
    (container,) = pod["spec"]["containers"]
    token = await _token(api, pod)
    if container["image"].partition(":")[0].endswith("/extension-init"):
        await _as_extension_init(plane, token, container["args"])
        return 0
    program, *rest = container["command"]
    kubeconfig = plane.directory / f"{pod['metadata']['name']}.kubeconfig"
    plane.write_kubeconfig(kubeconfig, token)
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name(program)),
        *rest,
        *container["args"],
        f"--kubeconfig={kubeconfig}",
        stdin=asyncio.subprocess.DEVNULL,
    )
    return await process.wait()


async def _token(api: Api, pod: Object) -> str:
    path = _ACCOUNTS.path(pod["metadata"]["namespace"], pod["spec"]["serviceAccountName"])
    status, issued = await api.request("POST", f"{path}/token", json_body={"spec": {}})
    if status > 399:
        raise ApiError(status, issued, f"POST {path}/token")
    return str(issued["status"]["token"])


async def _as_extension_init(plane: ControlPlane, token: str, arguments: list[str]) -> None:
    """What Linkerd's image does, which the Go extension's chart ran."""
    given = dict(zip(arguments[::2], arguments[1::2], strict=True))
    labels = {"linkerd.io/extension": given["--extension"]}
    async with Api.connect(plane.admin_kubeconfig, token=token) as job:
        await job.get(_CONFIG_MAPS, "linkerd-config", given["--linkerd-namespace"])
        await job.get(NAMESPACES, given["--namespace"])
        await job.patch(NAMESPACES, given["--namespace"], {"metadata": {"labels": labels}})
