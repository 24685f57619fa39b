"""Our definition over the Go extension's, with splits in it: by kubectl, by GitOps, and by helm."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from tests.cluster.api import CRDS, TRAFFICSPLITS, Api, Object
from tests.cluster.control_plane import ControlPlane
from tests.cluster.crds import REPOSITORY, TRAFFIC_SPLIT, traffic_split_crd
from tests.cluster.prepare import apply_definitions
from tests.contract.waiting import until_async
from tests.legacy import chart as legacy
from tests.legacy import written

NAME = "trafficsplits.split.smi-spec.io"
VERSIONS = ["v1alpha1", "v1alpha2", "v1alpha3", "v1alpha4"]
FINALIZER = "tests.io/keep"
# As v1alpha1 took them, and as v1alpha2 did.
OLD: dict[str, list[object]] = {
    "v1alpha1": [1, "500m", "1e3", "lots", -1, "", "1Ki"],
    "v1alpha2": [0.5, 500, -0.25, 1e21],
}

Run = Callable[..., str]


@pytest.fixture
def run(control_plane: ControlPlane, kubectl: Path, helm: Path, tmp_path: Path) -> Run:
    """A command of kubectl or helm, on the shared control plane."""
    programs = {"kubectl": kubectl, "helm": helm}
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "KUBECONFIG": str(control_plane.admin_kubeconfig),
    }

    def command(program: str, *arguments: str) -> str:
        done = subprocess.run(
            [str(programs[program]), *arguments],
            check=False,
            capture_output=True,
            text=True,
            env=environment,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return command


@pytest.fixture
def charts(tmp_path: Path) -> tuple[Path, Path]:
    """The definitions of the Go extension's chart and of ours, each a chart by itself."""
    found = []
    for name, chart in (
        ("old", legacy.CHART),
        ("new", REPOSITORY / "config" / "chart" / "linkerd-smi"),
    ):
        folder = tmp_path / name
        (folder / "templates").mkdir(parents=True)
        shutil.copy(chart / "Chart.yaml", folder)
        shutil.copy(chart / "templates" / "trafficsplit-crd.yaml", folder / "templates")
        found.append(folder)
    return found[0], found[1]


@pytest_asyncio.fixture
async def stored(
    admin: Api, cluster_namespace: str, run: Run, charts: tuple[Path, Path]
) -> AsyncIterator[list[Object]]:
    """Splits that were stored under the Go extension's definition, which helm installed."""
    await _remove(admin)
    run("helm", "install", "smi", str(charts[0]), f"--namespace={cluster_namespace}")
    try:
        await until_async(lambda: _answers(admin, -1, 201))
        splits = []
        for version, weights in OLD.items():
            for number, weight in enumerate(weights):
                name = f"{version}-{number}"
                backends = [("web", weight), ("new", 1)]
                body = written.split(name, cluster_namespace, "web", backends, version=version)
                body["metadata"]["finalizers"] = [FINALIZER]
                splits.append(await admin.create(TRAFFICSPLITS.at(version), body))
        bare = written.split("v1alpha1-bare", cluster_namespace, "web", [], version="v1alpha1")
        del bare["spec"]
        bare["metadata"]["finalizers"] = [FINALIZER]
        splits.append(await admin.create(TRAFFICSPLITS, bare))
        yield splits
    finally:
        await _remove(admin)
        await apply_definitions(admin, traffic_split_crd())


@pytest.mark.parametrize("way", ["kubectl-apply", "server-side-apply", "helm-upgrade"])
async def test_every_version_reads_and_writes_what_was_stored(
    admin: Api,
    cluster_namespace: str,
    run: Run,
    charts: tuple[Path, Path],
    stored: list[Object],
    way: str,
) -> None:
    command = {
        "kubectl-apply": ["kubectl", "apply", f"--filename={TRAFFIC_SPLIT}"],
        "server-side-apply": [
            *("kubectl", "apply", "--server-side", "--force-conflicts"),
            f"--filename={TRAFFIC_SPLIT}",
        ],
        "helm-upgrade": ["helm", "upgrade", "smi", str(charts[1]), "-n", cluster_namespace],
    }[way]

    await asyncio.to_thread(run, *command)
    await until_async(lambda: _answers(admin, -1, 422))

    live = await admin.get(CRDS, NAME)
    assert live["spec"] == traffic_split_crd()["spec"]
    assert live["status"]["storedVersions"] == ["v1alpha1"]
    await asyncio.to_thread(run, *command)
    again = await admin.get(CRDS, NAME)
    assert again["metadata"]["resourceVersion"] == live["metadata"]["resourceVersion"]
    for split in stored:
        await _reads_and_writes(admin, cluster_namespace, split)
    table = await asyncio.to_thread(run, "kubectl", "get", "ts", "-n", cluster_namespace)
    assert table.splitlines()[0].split() == ["NAME", "SERVICE"]
    for split in stored:
        await _goes(admin, cluster_namespace, split["metadata"]["name"])


async def test_server_side_apply_owns_a_split_and_its_whole_lists(
    admin: Api, cluster_namespace: str
) -> None:
    split = written.split("s", cluster_namespace, "web", [("a", 0.5), ("a", "500m")])
    params = {"fieldManager": "argocd-controller"}
    headers = {"Content-Type": "application/apply-patch+yaml"}
    path = TRAFFICSPLITS.at("v1alpha2").path(cluster_namespace, "s")

    answers = [
        await admin.request("PATCH", path, json_body=split, headers=headers, params=params)
        for _ in range(2)
    ]

    assert [status for status, _ in answers] == [201, 200]
    assert answers[0][1] == answers[1][1]
    (entry,) = answers[0][1]["metadata"]["managedFields"]
    assert entry["fieldsV1"] == {"f:spec": {"f:backends": {}, "f:service": {}}}
    split["spec"]["backends"] = [{"service": "a", "weight": True}]
    status, _ = await admin.request("PATCH", path, json_body=split, headers=headers, params=params)
    assert status == 422


async def _reads_and_writes(api: Api, namespace: str, split: Object) -> None:
    name = split["metadata"]["name"]
    for version in VERSIONS:
        resource = TRAFFICSPLITS.at(version)
        found = await api.get(resource, name, namespace)
        assert found.get("spec") == split.get("spec")
        found["metadata"].setdefault("labels", {})["put"] = version
        replaced = await api.replace(resource, found)
        assert replaced.get("spec") == split.get("spec")
        note = {"metadata": {"annotations": {"patched": version}}}
        patched = await api.patch(resource, name, note, namespace)
        assert patched.get("spec") == split.get("spec")


async def _goes(api: Api, namespace: str, name: str) -> None:
    await api.delete(TRAFFICSPLITS, name, namespace)
    await api.patch(TRAFFICSPLITS, name, {"metadata": {"finalizers": None}}, namespace)
    assert await api.find(TRAFFICSPLITS, name, namespace) is None


async def _answers(api: Api, weight: object, wanted: int) -> bool:
    body = written.split("probe", "default", "web", [("web", weight)], version="v1alpha1")
    path = TRAFFICSPLITS.path("default")
    status, _ = await api.request("POST", path, json_body=body, params={"dryRun": "All"})
    return status == wanted


async def _remove(api: Api) -> None:
    """Splits first: a finalizer would keep their definition."""
    status, found = await api.request("GET", TRAFFICSPLITS.path())
    for split in found["items"] if status == 200 else ():
        metadata = split["metadata"]
        nothing = {"metadata": {"finalizers": None}}
        await api.patch(TRAFFICSPLITS, metadata["name"], nothing, metadata["namespace"])
    if await api.find(CRDS, NAME) is not None:
        await api.delete(CRDS, NAME)
    await api.wait_for(CRDS, NAME, None, lambda found: found is None)
