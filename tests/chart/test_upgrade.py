"""`helm install`, `upgrade` and `uninstall`, as those have it who come from the Go extension."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from reactor import __version__
from tests.chart.cluster import RefusedError, Shell, definition_served, make_namespace
from tests.chart.render import CHART, render
from tests.cluster.api import CRDS, NAMESPACES, TRAFFICSPLITS, Api, Object, Resource
from tests.legacy import chart as legacy
from tests.legacy import written

DEPLOYMENTS = Resource("apps", "v1", "deployments")
JOBS = Resource("batch", "v1", "jobs")
CLUSTER_WIDE = "clusterrole,clusterrolebinding,crd"


@pytest.fixture
async def namespace(shell: Shell, bare: Api) -> AsyncIterator[str]:
    """A namespace for one release; what is cluster-wide goes with the test."""
    name = f"t-{uuid.uuid4().hex[:10]}"
    await make_namespace(bare, name)
    yield name
    for release in shell.helm("list", "--short", "--all", "-n", name).split():
        shell.helm("uninstall", release, "-n", name, "--no-hooks")
    shell.kubectl("delete", CLUSTER_WIDE, "--selector=linkerd.io/extension=smi")


async def adaptor(api: Api, namespace: str) -> Object:
    """The adaptor's Deployment."""
    return await api.get(DEPLOYMENTS, "smi-adaptor", namespace)


async def test_an_upgrade_that_reuses_the_old_charts_values_gets_our_image_and_memory(
    shell: Shell, bare: Api, namespace: str
) -> None:
    shell.helm("install", "smi", str(legacy.CHART), "-n", namespace, "--no-hooks")
    before = await adaptor(bare, namespace)
    await definition_served(bare)
    split = written.split("web", namespace, "web", [("web", 500), ("new", 500)])
    kept = await bare.create(TRAFFICSPLITS.at("v1alpha2"), split, namespace)

    upgrade = ["upgrade", "smi", str(CHART), "-n", namespace, "--reuse-values"]
    printed = shell.helm(*upgrade)

    assert "goes with the pod" in printed
    after = await adaptor(bare, namespace)
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}
    (container,) = after["spec"]["template"]["spec"]["containers"]
    assert container["image"] == f"ghcr.io/linkerd-smi-reactor/smi-adaptor:{__version__}"
    assert container["resources"] == {
        "requests": {"cpu": "100m", "memory": "128Mi"},
        "limits": {"memory": "384Mi"},
    }
    found = await bare.get(TRAFFICSPLITS.at("v1alpha2"), "web", namespace)
    assert found["metadata"]["uid"] == kept["metadata"]["uid"]
    assert found["spec"] == kept["spec"]

    shell.helm("rollback", "smi", "1", "-n", namespace, "--no-hooks")
    back = await adaptor(bare, namespace)
    (container,) = back["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "cr.l5d.io/linkerd/smi-adaptor:v0.2.7"
    found = await bare.get(TRAFFICSPLITS.at("v1alpha2"), "web", namespace)
    assert found["spec"] == kept["spec"]


async def test_a_registry_limit_and_job_image_of_ones_own_outlive_such_an_upgrade(
    shell: Shell, bare: Api, namespace: str
) -> None:
    shell.helm(
        *("install", "smi", str(legacy.CHART), "-n", namespace, "--no-hooks"),
        "--set=adaptor.image.registry=mirror.example.org/linkerd",
        "--set=adaptor.resources.limits.memory=512Mi,clusterDomain=example.org",
        "--set=namespaceMetadata.image.registry=mirror.example.org/linkerd",
    )
    shell.helm("upgrade", "smi", str(CHART), "-n", namespace, "--reuse-values")
    (container,) = (await adaptor(bare, namespace))["spec"]["template"]["spec"]["containers"]
    assert container["image"] == f"mirror.example.org/linkerd/smi-adaptor:{__version__}"
    assert container["resources"]["limits"] == {"cpu": "100m", "memory": "512Mi"}
    assert "-cluster-domain=example.org" in container["args"]
    hooks = shell.helm("get", "hooks", "smi", "-n", namespace)
    # Somebody mirrored Linkerd's image for the Job: it is run as it wants to be run.
    assert "mirror.example.org/linkerd/extension-init:v0.1.0" in hooks
    assert "ext-namespace-metadata-linkerd-config" in hooks
    assert "_namespace-metadata" not in hooks


async def test_splits_outlive_an_uninstall_and_another_release_can_take_over(
    shell: Shell, bare: Api, namespace: str
) -> None:
    shell.helm("install", "first", str(CHART), "-n", namespace, "--no-hooks")
    await definition_served(bare)
    split = written.split("web", namespace, "web", [("web", 1)], version="v1alpha1")
    kept = await bare.create(TRAFFICSPLITS, split, namespace)

    shell.helm("uninstall", "first", "-n", namespace)
    install = ["install", "second", str(CHART), "-n", namespace, "--no-hooks"]
    with pytest.raises(RefusedError, match="first"):
        shell.helm(*install)
    shell.helm(*install, "--take-ownership")

    found = await bare.get(TRAFFICSPLITS, "web", namespace)
    assert found["metadata"]["uid"] == kept["metadata"]["uid"]
    definition = await bare.get(CRDS, "trafficsplits.split.smi-spec.io")
    assert definition["metadata"]["annotations"]["meta.helm.sh/release-name"] == "second"


async def test_what_the_old_cli_applied_can_become_a_release(
    shell: Shell, bare: Api, helm: Path, namespace: str
) -> None:
    objects = legacy.installed_by_cli(helm, namespace=namespace)
    shell.kubectl("apply", "-f", "-", objects=objects)
    shell.helm("install", "smi", str(CHART), "-n", namespace, "--no-hooks", "--take-ownership")
    (container,) = (await adaptor(bare, namespace))["spec"]["template"]["spec"]["containers"]
    assert container["image"].endswith(f":{__version__}")


async def test_an_install_labels_its_namespace_by_a_job_with_no_right_but_that(
    shell: Shell, bare: Api, namespace: str, tmp_path: Path
) -> None:
    installing = asyncio.create_task(
        asyncio.to_thread(shell.helm, "install", "smi", str(CHART), "-n", namespace)
    )
    try:
        job = await bare.wait_for(JOBS, "namespace-metadata", namespace, lambda found: found)
        assert job is not None
        (container,) = job["spec"]["template"]["spec"]["containers"]
        account = job["spec"]["template"]["spec"]["serviceAccountName"]
        token = await _token(bare, namespace, account)
        kubeconfig = tmp_path / "kubeconfig"
        shell.plane.write_kubeconfig(kubeconfig, token)
        ran = await asyncio.to_thread(_run, kubeconfig, *container["command"], *container["args"])
        assert (ran.returncode, ran.stdout) == (0, ""), ran.stderr
        elsewhere = await asyncio.to_thread(
            _run, kubeconfig, *container["command"], "--namespace", "default"
        )
        assert elsewhere.returncode == 1
        assert "forbidden" in elsewhere.stderr
    finally:
        await _complete(bare, namespace)
        printed = await installing

    labelled = await bare.get(NAMESPACES, namespace)
    assert labelled["metadata"]["labels"]["linkerd.io/extension"] == "smi"
    assert await bare.find(JOBS, "namespace-metadata", namespace) is None
    assert f"runs in namespace {namespace}" in printed
    assert "emptyDir: it goes with the pod" in printed


async def test_the_notes_tell_what_may_go_wrong(shell: Shell, namespace: str, bare: Api) -> None:
    install = ["install", "smi", str(CHART), "-n", namespace, "--no-hooks", "--dry-run=client"]
    kept = shell.helm(*install, "--set=audit.persistence.enabled=true")
    assert "PersistentVolumeClaim smi-adaptor-audit, which `helm uninstall` leaves" in kept
    assert "WARNING" not in kept
    # People who had run into the old limit raised it, to what the Go adaptor needs.
    small = shell.helm(*install, "--set=adaptor.resources.limits.memory=64Mi")
    assert "WARNING: adaptor.resources.limits.memory is 64Mi" in small


def test_the_job_needs_a_namespace_that_can_be_one() -> None:
    ran = _run(Path("unread"), "linkerd-smi", "_namespace-metadata", "--namespace", "a/b")
    assert (ran.returncode, ran.stderr.count("\n")) == (2, 1)
    assert "'a/b' is no namespace" in ran.stderr


def test_the_go_extensions_own_job_image_runs_in_its_own_way(helm: Path) -> None:
    objects = render(
        helm,
        *("--set=namespaceMetadata.image.name=extension-init,linkerdNamespace=l5d", "--show-only"),
        "templates/namespace-metadata.yaml",
        hooks=True,
    )
    bindings = {
        (o["metadata"]["namespace"], o["roleRef"]["name"])
        for o in objects
        if o["kind"] == "RoleBinding"
    }
    assert ("l5d", "ext-namespace-metadata-linkerd-config") in bindings


async def _token(api: Api, namespace: str, account: str) -> str:
    path = Resource("", "v1", "serviceaccounts").path(namespace, account)
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    status, answer = await api.request("POST", f"{path}/token", json_body=body)
    assert status == 201, answer
    token = answer["status"]["token"]
    assert isinstance(token, str)
    return token


def _run(kubeconfig: Path, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The container's command, with the kubeconfig in the place of the pod's own account."""
    command = [str(Path(sys.executable).with_name(program)), *arguments]
    return subprocess.run(
        [*command, "--kubeconfig", str(kubeconfig)], check=False, capture_output=True, text=True
    )


async def _complete(api: Api, namespace: str) -> None:
    """Says what the Job controller would: no such controller runs here."""
    now = "2026-01-01T00:00:00Z"
    status = {
        "startTime": now,
        "completionTime": now,
        "succeeded": 1,
        "uncountedTerminatedPods": {},
        "conditions": [
            {"type": "SuccessCriteriaMet", "status": "True"},
            {"type": "Complete", "status": "True"},
        ],
    }
    await api.patch(JOBS, "namespace-metadata", {"status": status}, namespace, subresource="status")
