"""The image as its pod runs it: what the chart says, against a real API server, on /data alone."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import urllib.error
import urllib.request
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
import yaml

from tests.cluster.api import SERVICEPROFILES, TRAFFICSPLITS, Api
from tests.cluster.control_plane import ADAPTOR, ControlPlane
from tests.cluster.ports import free_port
from tests.cluster.prepare import ADAPTOR_NAMESPACE
from tests.contract.waiting import until_async
from tests.image.builder import Image
from tests.image.dockerfile import Stage

CHART = Path(__file__).resolve().parents[2] / "config" / "chart" / "linkerd-smi"
NOBODY = 65534
SECRETS = "/var/run/secrets/kubernetes.io/serviceaccount"


@pytest.fixture(scope="session")
def pod(helm: Path) -> dict[str, Any]:
    """The pod's spec in the chart."""
    command = [str(helm), "template", "any", str(CHART), "--namespace", ADAPTOR_NAMESPACE]
    command += ["--kube-version", "1.36.0", "--show-only", "templates/deployment.yaml"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    spec: dict[str, Any] = yaml.safe_load(done.stdout)["spec"]["template"]["spec"]
    return spec


@pytest.fixture
def secrets(control_plane: ControlPlane, tmp_path: Path) -> Path:
    """What a pod finds of its service account."""
    folder = tmp_path / "secrets"
    folder.mkdir(mode=0o755)
    shutil.copyfile(control_plane.ca_file, folder / "ca.crt")
    (folder / "token").write_text(control_plane.tokens[ADAPTOR])
    (folder / "namespace").write_text(ADAPTOR_NAMESPACE)
    return folder


@pytest.fixture(params=["the image's own", "an emptyDir with an fsGroup"])
def data(request: pytest.FixtureRequest, image: Image, tmp_path: Path) -> Path:
    """What is mounted on /data: as the image has it, or root's with the group's rights."""
    folder = tmp_path / "data"
    shutil.copytree(image.result / "data", folder, ignore=lambda _, names: names)
    own = request.param == "the image's own"
    folder.chmod(0o755 if own else 0o2770)
    if os.geteuid() == 0:
        os.chown(folder, NOBODY if own else 0, NOBODY)
    return folder


class Running:
    """One container; ``command`` is its process 1, seen from outside."""

    def __init__(self, *, sandbox: Process, address: str, log: Path) -> None:
        self._sandbox = sandbox
        self._address = address
        self._log = log

    @property
    def log(self) -> str:
        """What it has printed."""
        return self._log.read_text()

    async def ready(self) -> bool:
        """What the probe would see. Raises AssertionError once it has ended."""
        assert self._sandbox.returncode is None, self.log
        return await asyncio.to_thread(self._ask)

    async def end(self) -> int:
        """SIGTERM to process 1, as the kubelet does; its exit code."""
        (one,) = psutil.Process(self._sandbox.pid).children()
        one.send_signal(signal.SIGTERM)
        async with asyncio.timeout(5):
            return await self._sandbox.wait()

    def _ask(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{self._address}/ready", timeout=5):
                return True
        except (urllib.error.URLError, OSError):
            return False


@asynccontextmanager
async def running(
    command: list[str], environ: dict[str, str], *, address: str, log: Path
) -> AsyncIterator[Running]:
    """The container while it is needed; killed if it is still there then."""
    with log.open("wb") as output:
        sandbox = await asyncio.create_subprocess_exec(
            *command, env=environ, stdin=DEVNULL, stdout=output, stderr=output
        )
    family = [psutil.Process(sandbox.pid)]
    try:
        yield Running(sandbox=sandbox, address=address, log=log)
    finally:
        with suppress(psutil.NoSuchProcess):
            family += family[0].children(recursive=True)
            for process in reversed(family):
                process.kill()
        await sandbox.wait()


def test_the_chart_asks_for_what_is_proved_here(pod: dict[str, Any], stages: list[Stage]) -> None:
    (container,) = pod["containers"]
    security = container["securityContext"]
    assert f"{security['runAsUser']}:{NOBODY}" == stages[-1].user
    assert pod["securityContext"]["fsGroup"] == NOBODY
    assert security["readOnlyRootFilesystem"] is True
    assert security["allowPrivilegeEscalation"] is False
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert [mount["mountPath"] for mount in container["volumeMounts"]] == stages[-1].volumes
    assert "command" not in container


@pytest.mark.timeout(600)
async def test_the_pod_works_writes_to_its_volume_alone_and_ends_when_asked(
    image: Image,
    stages: list[Stage],
    pod: dict[str, Any],
    secrets: Path,
    data: Path,
    control_plane: ControlPlane,
    admin: Api,
    cluster_namespace: str,
    tmp_path: Path,
) -> None:
    server = urlsplit(control_plane.url)
    address = f"127.0.0.1:{free_port()}"
    command, environ = image.contained(
        *stages[-1].entrypoint,
        *pod["containers"][0]["args"],
        # The pod's own default is port 9995 on every address: not on a machine with others.
        f"-metrics-addr={address}",
        mounts={"/data": data, SECRETS: secrets},
        environ={
            "KUBERNETES_SERVICE_HOST": str(server.hostname),
            "KUBERNETES_SERVICE_PORT": str(server.port),
            "POD_NAMESPACE": ADAPTOR_NAMESPACE,
            "POD_NAME": "smi-adaptor-0",
        },
    )
    split = {
        "apiVersion": "split.smi-spec.io/v1alpha1",
        "kind": "TrafficSplit",
        "metadata": {"name": "backend-split", "namespace": cluster_namespace},
        "spec": {"service": "backend-svc", "backends": [{"service": "failing-svc", "weight": 500}]},
    }
    profile = f"backend-svc.{cluster_namespace}.svc.cluster.local"
    before = everything(image.result)
    async with running(command, environ, address=address, log=tmp_path / "log") as container:
        async with asyncio.timeout(60):
            await until_async(container.ready, timeout=60)
        await admin.create(TRAFFICSPLITS, split)
        # Whoever held the lease may have been killed by the test before: it lapses after 15 s.
        await admin.wait_for(SERVICEPROFILES, profile, cluster_namespace, bool, timeout=30)
        assert await container.end() == 0, container.log
    assert "Traceback" not in container.log
    assert everything(image.result) == before
    assert "audit.sqlite" in os.listdir(data)


def everything(tree: Path) -> dict[str, int]:
    """Every file below, without the volume, and when it was written."""
    return {
        str(path.relative_to(tree)): path.lstat().st_mtime_ns
        for path in tree.rglob("*")
        if path.is_file() and not path.is_relative_to(tree / "data")
    }
