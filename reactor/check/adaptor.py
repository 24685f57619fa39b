"""The adaptor: what its Deployment says of it, and what its admin port does."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import msgspec

from reactor.check.kinds import Container, Deployment, PodSpec
from reactor.check.result import Result, Trouble, some, told
from reactor.errors import Fatal
from reactor.flags import Answer
from reactor.settings import FLAGS
from reactor.translate.situation import Rules

_NAME = "smi-adaptor"
_KEPT = "SMI adaptor's audit log is kept"
_PORT, _PORT_NAME = 9995, "admin-http"
_AUDIT = "sqlite:////data/audit.sqlite"
_SCRIPT = (
    "curl -sL https://github.com/linkerd-smi-reactor/linkerd-smi-reactor"
    "/releases/latest/download/install"
)
"""As the head of the script itself has it."""
_REFERENCE = re.compile(r"\$\((\w+)\)")
_GO_TAG = re.compile(r"v0\.[0-2]\.\d+")
"""The releases of the Go program; our own tags bear no v."""


class Report(msgspec.Struct, frozen=True):
    """What one pod's admin port says of itself.

    ``waits``: what it is not ready for. ``version`` is None when it doesn't say.
    """

    name: str
    waits: tuple[str, ...]
    version: str | None
    gap_rows: int
    degraded: bool


def container(spec: PodSpec) -> Container | None:
    """The adaptor's own container."""
    return next((found for found in spec.containers if found.name == _NAME), None)


def port(spec: PodSpec) -> int:
    """The admin port of a pod."""
    found = container(spec)
    ports = (found.ports if found is not None else None) or ()
    return next((one.container_port for one in ports if one.name == _PORT_NAME), _PORT)


def tag(image: str) -> str:
    """The tag of an image reference, empty when it has none."""
    name = image.partition("@")[0].rpartition("/")[2]
    return name.partition(":")[2]


def go_adaptor(deployment: Deployment) -> str | None:
    """The image, when it is the Go program that this Deployment runs."""
    found = container(deployment.spec.template.spec)
    if found is None:
        return None
    return found.image if _GO_TAG.fullmatch(tag(found.image)) else None


def install(deployment: Deployment | None, namespace: str, setting: str = "") -> str:
    """What to type so that the objects are again as they should be, the way they came.

    ``setting``: a value to set by the way, KEY=VALUE.
    """
    annotations = (deployment.metadata.annotations if deployment is not None else None) or {}
    release = annotations.get("meta.helm.sh/release-name")
    if release is not None:
        options = f" --reuse-values --set {setting}" if setting else ""
        return f"`helm upgrade {release} l5d-smi/linkerd-smi --namespace {namespace}{options}`"
    options = "" if namespace == "linkerd-smi" else f" --namespace {namespace}"
    options += f" --set {setting}" if setting else ""
    return f"`linkerd smi install{options} | kubectl apply -f -`"


def rules(deployment: Deployment | None) -> Rules:
    """The settings that decisions depend on, from the adaptor's flags and variables."""
    given = _given(deployment)
    return Rules(
        cluster_domain=given.get("cluster-domain", "cluster.local"),
        orphans=given.get("orphans", "delete"),
    )


def kept(deployment: Deployment, namespace: str) -> Result:
    """How long the audit log is kept: with a default install it goes with the pod, and that's fine.

    A volume is only told apart from no volume: whether it is a good one, its owner knows.
    """
    spec = deployment.spec.template.spec
    found = container(spec)
    mounts = (found.volume_mounts if found is not None else None) or ()
    path = PurePosixPath(
        str(_given(deployment).get("audit-url", _AUDIT)).removeprefix("sqlite:///")
    )
    over = [mount for mount in mounts if path.is_relative_to(mount.mount_path)]
    hint = install(deployment, namespace, "audit.persistence.enabled=true")
    if not over:
        return told(
            _KEPT,
            Trouble(f"{path} is on no volume, so it goes with the container", hint, warning=True),
        )
    nearest = max(over, key=lambda mount: len(mount.mount_path))
    volumes = {volume.name: volume for volume in spec.volumes or ()}
    volume = volumes.get(nearest.name)
    if volume is not None and volume.empty_dir is not None:
        return Result(f"{_KEPT} (on an emptyDir: it goes with the pod)", hint)
    return Result(_KEPT)


def ready(reports: Sequence[Report], namespace: str) -> Trouble | None:
    """Whether every pod is ready, and if not what it waits for."""
    waiting = [f"{one.name}: {', '.join(one.waits)}" for one in reports if one.waits]
    if not waiting:
        return None
    return Trouble(some(waiting), f"`kubectl -n {namespace} logs deploy/{_NAME} -c {_NAME}`")


def unheard(refusal: str, namespace: str) -> Trouble:
    """When the person who asks may not reach the admin port."""
    return Trouble(
        f"not checked: {refusal}; --api-addr names another way to its admin port",
        f"`kubectl auth can-i create pods/portforward --namespace {namespace}`",
        warning=True,
    )


def same_version(
    deployment: Deployment | None, reports: Sequence[Report], cli: str, namespace: str
) -> Trouble | None:
    """Whether what runs is of the CLI's version: what the adaptor says, or else its image."""
    hint = install(deployment, namespace)
    if deployment is not None and (image := go_adaptor(deployment)) is not None:
        return Trouble(f"{image} runs, the Go adaptor; the CLI is {cli}", hint, warning=True)
    running = {one.version for one in reports if one.version is not None}
    if not running and deployment is not None:
        found = container(deployment.spec.template.spec)
        image = found.image if found is not None else ""
        running = {tag(image)} - {""}
    if not running:
        why = "no adaptor tells its version, nor does the image"
        why = "there is no adaptor" if deployment is None else why
        return Trouble(f"not checked: {why}", hint, warning=True)
    others = sorted(running - {cli}, key=_number)
    if not others:
        return None
    newest = others[-1]
    if _number(newest) > _number(cli):
        hint = f"`{_SCRIPT} | LINKERD_SMI_VERSION={newest} sh`"
    return Trouble(f"the adaptor is {' and '.join(others)}, the CLI {cli}", hint, warning=True)


def complete(reports: Sequence[Report], namespace: str) -> Trouble | None:
    """Whether the audit log lacks nothing since the adaptor's start, and is kept now."""
    troubles = [
        f"{one.name}: {one.gap_rows} rows could not be kept since it started"
        for one in reports
        if one.gap_rows
    ]
    troubles += [f"{one.name}: the log can't be written now" for one in reports if one.degraded]
    if not troubles:
        return None
    return Trouble(
        some(troubles),
        f"`kubectl -n {namespace} logs deploy/{_NAME} -c {_NAME}`",
        warning=True,
    )


def _number(version: str) -> tuple[int, ...]:
    """For comparisons; a tag that is no version is older than any."""
    parts = version.split(".")
    return tuple(int(part) for part in parts) if all(part.isdecimal() for part in parts) else ()


def _given(deployment: Deployment | None) -> Mapping[str, Any]:
    found = container(deployment.spec.template.spec) if deployment is not None else None
    if found is None:
        return {}
    environ = {one.name: one.value for one in found.env or () if one.value is not None}

    def expanded(text: str) -> str:
        return _REFERENCE.sub(lambda match: environ.get(match[1], match[0]), text)

    try:
        return FLAGS.parse([expanded(word) for word in found.args or ()], environ)
    except (Fatal, Answer):  # such an adaptor doesn't start: the pods' check says so
        return {}
