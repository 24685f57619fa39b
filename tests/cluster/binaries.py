"""Builds the programs that tests run against, once, into a cache outside the checkout.

Each folder of tests/tools is a Go module; what it builds is kept under the hash of its go.mod and
go.sum and of its own code, so that a change builds anew and an unchanged checkout never does.
`KUBEBUILDER_ASSETS` (a folder of ready programs) is asked first.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

TOOLS = Path(__file__).resolve().parent.parent / "tools"
_PROGRESS_SECONDS = 30.0


class Unavailable(RuntimeError):
    """A program is neither in the cache nor can it be built; the message says what to do."""


@dataclass(frozen=True)
class Program:
    """One `main` package of a module under tests/tools."""

    name: str
    module: str
    package: str
    ldflags: str = "-s -w"


_KUBERNETES_VERSION = " ".join(
    [
        "-s -w",
        "-X k8s.io/component-base/version.gitVersion=v1.36.3",
        "-X k8s.io/component-base/version.gitMajor=1",
        "-X k8s.io/component-base/version.gitMinor=36",
    ]
)
ETCD = Program("etcd", "kubernetes", "go.etcd.io/etcd/server/v3")
KUBE_APISERVER = Program(
    "kube-apiserver", "kubernetes", "k8s.io/kubernetes/cmd/kube-apiserver", _KUBERNETES_VERSION
)
KUBE_CONTROLLER_MANAGER = Program(
    "kube-controller-manager",
    "kubernetes",
    "k8s.io/kubernetes/cmd/kube-controller-manager",
    _KUBERNETES_VERSION,
)
KUBECTL = Program("kubectl", "kubernetes", "k8s.io/kubernetes/cmd/kubectl", _KUBERNETES_VERSION)
HELM = Program("helm", "helm", "helm.sh/helm/v3/cmd/helm")
LINKERD_CONTROLLER = Program(
    "linkerd-controller", "linkerd", "github.com/linkerd/linkerd2/controller/cmd"
)
DESTINATION_CLIENT = Program(
    "destination-client",
    "linkerd",
    "github.com/linkerd/linkerd2/controller/script/destination-client",
)
KUBELET_STUB = Program("kubelet-stub", "kubelet", ".")
ALL = (
    ETCD,
    KUBE_APISERVER,
    KUBECTL,
    KUBE_CONTROLLER_MANAGER,
    HELM,
    LINKERD_CONTROLLER,
    DESTINATION_CLIENT,
    KUBELET_STUB,
)


def ensure(*programs: Program) -> None:
    """Build those that are missing. Raises Unavailable."""
    for program in programs:
        path_of(program)


def path_of(program: Program) -> Path:
    """The program's file, built first if need be. Raises Unavailable."""
    found = find(program)
    if found is not None:
        return found
    folder = cache_of(program.module)
    with locked(folder):
        found = find(program)
        return found if found is not None else _build(program, folder / program.name)


def find(program: Program) -> Path | None:
    """The program's file if it is there already."""
    folders = [cache_of(program.module)]
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if assets:
        folders.insert(0, Path(assets))
    for folder in folders:
        path = folder / program.name
        if path.is_file() and os.access(path, os.X_OK):
            return path
    return None


def cache_of(module: str) -> Path:
    """The cache folder that belongs to the present go.mod, go.sum and code of a tools module."""
    digest = hashlib.sha256()
    folder = TOOLS / module
    for path in (folder / "go.mod", folder / "go.sum", *sorted(folder.glob("*.go"))):
        digest.update(path.read_bytes())
    home = os.environ.get("XDG_CACHE_HOME")
    root = Path(home) if home else Path.home() / ".cache"
    return root / "linkerd-smi-reactor" / digest.hexdigest()[:20]


def source_of(module: str, dependency: str) -> Path:
    """The folder with the source of a dependency of a tools module, fetched if need be."""
    output = _go(module, ["mod", "download", "-json", dependency])
    return Path(str(json.loads(output)["Dir"]))


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Holds the folder against other processes that would build into it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say(f"waiting for another build in {folder.name}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(program: Program, target: Path) -> Path:
    _say(f"building {program.name} (once; minutes, not seconds)")
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=".build-", dir=target.parent) as scratch:
        output = Path(scratch) / program.name
        arguments = ["build", "-mod=readonly", "-trimpath", "-buildvcs=false"]
        arguments += [f"-ldflags={program.ldflags}", "-o", str(output), program.package]
        _go(program.module, arguments, label=program.name)
        output.replace(target)
    _say(f"built {program.name} in {time.monotonic() - started:.0f} s")
    return target


def _go(module: str, arguments: Sequence[str], *, label: str | None = None) -> str:
    go = shutil.which("go")
    if go is None:
        raise Unavailable(
            f"no Go toolchain on PATH and no built programs in {cache_of(module)}: "
            "install Go 1.26, or point KUBEBUILDER_ASSETS at kube-apiserver and etcd"
        )
    # kube-apiserver's compiler takes both cores for minutes: whoever works beside it comes first.
    command = ["nice", "-n", "10", go, *arguments]
    environment = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": ""}
    with subprocess.Popen(
        command,
        cwd=TOOLS / module,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        started = time.monotonic()
        while True:
            try:
                output, errors = process.communicate(timeout=_PROGRESS_SECONDS)
                break
            except subprocess.TimeoutExpired:
                if label is not None:
                    _say(f"still building {label}, {time.monotonic() - started:.0f} s")
            except BaseException:
                process.kill()
                raise
    if process.returncode != 0:
        tail = "\n".join(errors.strip().splitlines()[-15:])
        raise Unavailable(f"go {' '.join(arguments[:2])} in tests/tools/{module} failed:\n{tail}")
    return output


def _say(line: str) -> None:
    print(f"tests/tools: {line}", file=sys.stderr, flush=True)


def main() -> int:
    """Prebuild everything, so that no test pays for it."""
    # Imported here: the CRDs are rendered by a program that this module builds.
    from tests.cluster.crds import service_profile_crd

    try:
        ensure(*ALL)
        service_profile_crd()
    except Unavailable as error:
        _say(str(error))
        return 1
    _say("all programs are there")
    return 0


if __name__ == "__main__":
    sys.exit(main())
