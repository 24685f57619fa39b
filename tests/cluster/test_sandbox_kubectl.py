"""The real kubectl against the sandbox: every command that the guide and an operator use."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from reactor.sandbox.server import Sandbox

SAMPLES = Path(__file__).resolve().parents[2] / "config" / "samples"
NAMESPACE = "trafficsplit-sample"


class Kubectl:
    """Runs kubectl with a kubeconfig of its own."""

    def __init__(self, *, program: Path, kubeconfig: Path, home: Path) -> None:
        self._program = program
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "KUBECONFIG": str(kubeconfig),
        }

    async def start(self, *arguments: str, **environment: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            self._program,
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**self._environment, **environment},
        )

    async def __call__(self, *arguments: str, code: int = 0, **environment: str) -> str:
        """Its output, both streams; fails the test on another exit code."""
        process = await self.start(*arguments, **environment)
        try:
            async with asyncio.timeout(60):
                out, err = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        told = out.decode() + err.decode()
        assert process.returncode == code, f"kubectl {' '.join(arguments)}: {told}"
        return told


@pytest_asyncio.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def run(sandbox: Sandbox, kubectl: Path, tmp_path: Path) -> Kubectl:
    """kubectl as the sandbox's administrator."""
    kubeconfig = sandbox.write_kubeconfig(tmp_path / "kubeconfig", namespace=NAMESPACE)
    return Kubectl(program=kubectl, kubeconfig=kubeconfig, home=tmp_path)


@pytest_asyncio.fixture
async def sample(run: Kubectl) -> Kubectl:
    """kubectl on a sandbox that holds the guide's sample."""
    await run("apply", "-f", str(SAMPLES))
    return run


async def test_applying_the_samples_twice_changes_nothing_the_second_time(
    run: Kubectl, sandbox: Sandbox
) -> None:
    first = await run("apply", "-f", str(SAMPLES))
    version = sandbox.cluster.version
    second = await run("apply", "-f", str(SAMPLES))
    assert "trafficsplit.split.smi-spec.io/backend-split created" in first
    assert first.count("created") == second.count("unchanged") == 7
    assert sandbox.cluster.version == version


async def test_a_changed_manifest_is_configured_and_patched_with_its_change_alone(
    sample: Kubectl, sandbox: Sandbox, tmp_path: Path
) -> None:
    for file, old, new in (
        ("3-trafficsplit.yaml", "weight: 500", "weight: 900"),
        ("2-application.yaml", "port: 8080", "port: 8081"),
    ):
        changed = tmp_path / file
        changed.write_text((SAMPLES / file).read_text().replace(old, new, 1))
        assert "configured" in await sample("apply", "-f", str(changed))
    split = sandbox.cluster.get("trafficsplits", "backend-split", NAMESPACE)
    service = sandbox.cluster.get("services", "backend-svc", NAMESPACE)
    assert split is not None
    assert service is not None
    assert [backend["weight"] for backend in split["spec"]["backends"]] == [900, 500]
    assert [port["port"] for port in service["spec"]["ports"]] == [8081]


async def test_diff_shows_a_change_and_makes_none(
    sample: Kubectl, sandbox: Sandbox, tmp_path: Path
) -> None:
    manifest = tmp_path / "split.yaml"
    text = (SAMPLES / "3-trafficsplit.yaml").read_text()
    manifest.write_text(text.replace("weight: 500", "weight: 1", 1))
    version = sandbox.cluster.version
    told = await sample("diff", "-f", str(manifest), code=1)
    assert "-    weight: 500" in told
    assert "+    weight: 1" in told
    assert await sample("diff", "-f", str(SAMPLES)) == ""
    assert sandbox.cluster.version == version


async def test_create_makes_objects_from_the_command_line(run: Kubectl, sandbox: Sandbox) -> None:
    await run("create", "namespace", NAMESPACE)
    await run("create", "configmap", "settings", "--from-literal=domain=cluster.local")
    await run("create", "secret", "generic", "key", "--from-literal=key=secret")
    await run("create", "serviceaccount", "smi-adaptor")
    await run("create", "deployment", "web", "--image=web:1", "--replicas=2", "--port=8080")
    await run("expose", "deployment", "web", "--port=80", "--target-port=http")
    await run("create", "job", "once", "--image=web:1")
    settings = sandbox.cluster.get("configmaps", "settings", NAMESPACE)
    deployment = sandbox.cluster.get("deployments", "web", NAMESPACE)
    service = sandbox.cluster.get("services", "web", NAMESPACE)
    assert settings is not None
    assert settings["data"] == {"domain": "cluster.local"}
    assert deployment is not None
    assert deployment["spec"]["replicas"] == 2
    assert deployment["spec"]["template"]["spec"]["containers"][0]["image"] == "web:1"
    assert service is not None
    assert service["spec"]["ports"][0]["targetPort"] == "http"


async def test_get_prints_the_columns_of_each_kind(sample: Kubectl) -> None:
    assert "NAME            SERVICE\nbackend-split   backend-svc\n" in await sample("get", "ts")
    services = await sample("get", "svc")
    assert "NAME          TYPE        CLUSTER-IP   EXTERNAL-IP   PORT(S)    AGE" in services
    deployments = await sample("get", "deployments")
    assert "NAME          READY   UP-TO-DATE   AVAILABLE   AGE" in deployments
    everything = await sample("get", "all")
    assert "service/failing-svc" in everything
    assert "deployment.apps/slow-cooker" in everything


async def test_get_as_json_has_every_field(sample: Kubectl) -> None:
    split = msgspec.json.decode(
        await sample("get", "ts", "backend-split", "-o", "json", "--show-managed-fields")
    )
    manager = split["metadata"]["managedFields"][0]
    assert manager["manager"] == "kubectl-client-side-apply"
    assert split["spec"]["service"] == "backend-svc"


async def test_get_by_label_and_by_field(sample: Kubectl) -> None:
    await sample("label", "svc", "backend-svc", "tier=apex")
    assert "failing-svc" not in await sample("get", "svc", "-l", "tier=apex")
    assert "backend-svc" not in await sample("get", "svc", "-l", "tier!=apex")
    by_name = await sample("get", "svc", "--field-selector", "metadata.name=failing-svc")
    assert "backend-svc" not in by_name


async def test_describe_shows_the_spec_and_the_events(sample: Kubectl, sandbox: Sandbox) -> None:
    split = sandbox.cluster.get("trafficsplits", "backend-split", NAMESPACE)
    assert split is not None
    sandbox.cluster.create(
        {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": "backend-split.1", "namespace": NAMESPACE},
            "involvedObject": {
                "kind": "TrafficSplit",
                "name": "backend-split",
                "namespace": NAMESPACE,
                "uid": split["metadata"]["uid"],
            },
            "type": "Normal",
            "reason": "Created",
            "message": "Created Service Profile backend-svc",
            "source": {"component": "smi-controller"},
            "firstTimestamp": "2026-01-01T00:00:00Z",
            "lastTimestamp": "2026-01-01T00:00:00Z",
            "count": 1,
        }
    )
    told = await sample("describe", "ts", "backend-split")
    assert "Service:  backend-svc\n    Weight:   500" in told
    assert "Created Service Profile backend-svc" in told
    assert "smi-controller" in told
    assert "Created Service Profile backend-svc" in await sample("get", "events")
    assert "Port:                     http  8080/TCP" in await sample("describe", "svc")
    assert "Replicas:               1 desired" in await sample("describe", "deploy", "backend")


@pytest.mark.parametrize(
    ("kind", "patch"),
    [
        ("merge", '{"spec":{"service":"other"}}'),
        ("json", '[{"op":"replace","path":"/spec/service","value":"other"}]'),
    ],
)
async def test_patch_changes_the_split(
    sample: Kubectl, sandbox: Sandbox, kind: str, patch: str
) -> None:
    await sample("patch", "ts", "backend-split", "--type", kind, "-p", patch)
    split = sandbox.cluster.get("trafficsplits", "backend-split", NAMESPACE)
    assert split is not None
    assert split["spec"]["service"] == "other"
    assert split["metadata"]["generation"] == 2
    assert "backend-split patched (no change)" in await sample(
        "patch", "ts", "backend-split", "--type", kind, "-p", patch
    )


async def test_a_strategic_patch_is_for_built_in_kinds_alone(sample: Kubectl) -> None:
    patch = '{"spec":{"ports":[{"port":8080,"name":"web"}]}}'
    assert "patched" in await sample("patch", "svc", "backend-svc", "-p", patch)
    told = await sample("patch", "ts", "backend-split", "-p", patch, code=1)
    assert "application/strategic-merge-patch+json" in told


async def test_edit_saves_what_the_editor_wrote(
    sample: Kubectl, sandbox: Sandbox, tmp_path: Path
) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nsed -i "s/weight: 500/weight: 250/" "$1"\n')
    editor.chmod(0o755)
    await sample("edit", "ts", "backend-split", EDITOR=str(editor))
    split = sandbox.cluster.get("trafficsplits", "backend-split", NAMESPACE)
    assert split is not None
    assert [backend["weight"] for backend in split["spec"]["backends"]] == [250, 250]


async def test_an_unknown_field_is_refused(sample: Kubectl, tmp_path: Path) -> None:
    manifest = tmp_path / "split.yaml"
    text = (SAMPLES / "3-trafficsplit.yaml").read_text()
    manifest.write_text(text.replace("  backends:", "  backend: x\n  backends:"))
    told = await sample("apply", "-f", str(manifest), code=1)
    assert 'strict decoding error: unknown field "spec.backend"' in told


async def test_deleting_the_namespace_takes_everything_along(
    sample: Kubectl, sandbox: Sandbox
) -> None:
    told = await sample("delete", f"namespace/{NAMESPACE}")
    assert f'namespace "{NAMESPACE}" deleted' in told
    assert sandbox.cluster.count("trafficsplits") == 0
    assert sandbox.cluster.count("services", NAMESPACE) == 0
    assert "NotFound" in await sample("get", "ns", NAMESPACE, code=1)


async def test_delete_by_file_waits_until_all_is_gone(sample: Kubectl, sandbox: Sandbox) -> None:
    await sample("delete", "-f", str(SAMPLES / "3-trafficsplit.yaml"))
    assert sandbox.cluster.count("trafficsplits") == 0


async def test_get_w_prints_each_change(sample: Kubectl, sandbox: Sandbox) -> None:
    watch = await sample.start("get", "ts", "-w", "-o", "custom-columns=S:.spec.service")
    assert watch.stdout is not None
    try:
        async with asyncio.timeout(30):
            assert await watch.stdout.readline() == b"S\n"
            assert await watch.stdout.readline() == b"backend-svc\n"
            patch = '{"spec":{"service":"moved"}}'
            await sample("patch", "ts", "backend-split", "--type=merge", "-p", patch)
            assert await watch.stdout.readline() == b"moved\n"
    finally:
        watch.kill()
        await watch.communicate()


async def test_wait_returns_when_the_condition_holds(sample: Kubectl, sandbox: Sandbox) -> None:
    crd = "crd/trafficsplits.split.smi-spec.io"
    assert "condition met" in await sample("wait", "--for=condition=Established", crd)
    waiting = await sample.start(
        "wait", "--for=jsonpath={.spec.service}=moved", "ts/backend-split", "--timeout=30s"
    )
    patch = '{"spec":{"service":"moved"}}'
    await sample("patch", "ts", "backend-split", "--type=merge", "-p", patch)
    out, _ = await waiting.communicate()
    assert b"condition met" in out
    assert waiting.returncode == 0


async def test_a_user_sees_what_its_roles_allow_and_nothing_else(
    sample: Kubectl, sandbox: Sandbox, kubectl: Path, tmp_path: Path
) -> None:
    role = "splits-reader"
    await sample("create", "clusterrole", role, "--verb=get,list", "--resource=trafficsplits")
    await sample("create", "clusterrolebinding", role, f"--clusterrole={role}", "--user=reader")
    config = sandbox.write_kubeconfig(tmp_path / "reader", user="reader", namespace=NAMESPACE)
    reader = Kubectl(program=kubectl, kubeconfig=config, home=tmp_path)
    assert "backend-split" in await reader("get", "ts")
    told = await reader("delete", "ts", "backend-split", code=1)
    assert 'User "reader" cannot delete resource "trafficsplits" in API group' in told
    assert "yes" in await reader("auth", "can-i", "list", "trafficsplits")
    assert "no" in await reader("auth", "can-i", "list", "services", code=1)


async def test_api_resources_and_versions_list_the_custom_kinds(run: Kubectl) -> None:
    assert "trafficsplits" in await run("api-resources", "--api-group=split.smi-spec.io")
    assert "linkerd.io/v1alpha2" in await run("api-versions")
    assert "Server Version: v1.36.3" in await run("version")


async def test_ten_thousand_splits_are_listed_in_chunks(run: Kubectl, sandbox: Sandbox) -> None:
    for number in range(10_000):
        sandbox.cluster.put(
            {
                "apiVersion": "split.smi-spec.io/v1alpha2",
                "kind": "TrafficSplit",
                "metadata": {"name": f"split-{number:05}", "namespace": "default"},
                "spec": {"service": f"web-{number}", "backends": []},
            }
        )
    told = await run("get", "ts", "-n", "default", "--no-headers")
    assert told.count("\n") == 10_000
    assert len(sandbox.asked("list", "trafficsplits")) == 20
