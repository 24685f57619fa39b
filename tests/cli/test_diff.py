"""`linkerd-smi diff`: profiles against splits, those of a cluster and those of files."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reactor.sandbox.server import Sandbox
from tests.cli.conftest import Ended, Smi
from tests.cluster import guide
from tests.cluster.api import SERVICEPROFILES, Api
from tests.cluster.control_plane import ControlPlane
from tests.legacy import written

NAMESPACE = "shop"
OLD, YOUNG = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"


def split(name: str = "canary", service: str = "web", **weights: object) -> dict[str, Any]:
    return {
        "apiVersion": "split.smi-spec.io/v1alpha2",
        "kind": "TrafficSplit",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "service": service,
            "backends": [{"service": leaf, "weight": weight} for leaf, weight in weights.items()],
        },
    }


def profile(service: str = "web", **weights: str) -> dict[str, Any]:
    end = f"{NAMESPACE}.svc.cluster.local"
    overrides = [{"authority": f"{leaf}.{end}", "weight": text} for leaf, text in weights.items()]
    return {
        "apiVersion": "linkerd.io/v1alpha2",
        "kind": "ServiceProfile",
        "metadata": {"name": f"{service}.{end}", "namespace": NAMESPACE},
        "spec": {"dstOverrides": overrides},
    }


def holding(sandbox: Sandbox, *documents: dict[str, Any]) -> None:
    for name in (NAMESPACE, "other"):
        sandbox.cluster.create(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        )
    for document in documents:
        sandbox.cluster.create(document, manager="smi-adaptor")


def rows(ended: Ended) -> list[list[str]]:
    return [line.split() for line in ended.out.splitlines()[1:]]


async def test_in_sync_is_exit_code_0_and_no_output(smi: Smi, sandbox: Sandbox) -> None:
    holding(sandbox, split(v1=1000, v2=0.5), profile(v1="1k", v2="500m"))
    ended = await smi("diff", "-n", NAMESPACE)
    assert (ended.code, ended.out) == (0, "")
    assert ended.err == "in sync: 1 service with a split\n"


async def test_what_the_adaptor_would_do_is_a_row_each(smi: Smi, sandbox: Sandbox) -> None:
    orphan = profile("gone", v1="1")
    cleared = profile("kept", v1="1")
    cleared["spec"]["routes"] = [{"name": "all", "condition": {"pathRegex": ".*"}}]
    skipped = profile("alone", v1="9")
    skipped["metadata"]["annotations"] = {"smi.linkerd.io/skip": ""}
    holding(
        sandbox,
        split(v1=9, v2=1),
        split("b", "changed", v1=2),
        profile("changed", v1="1"),
        split("c", "broken", v1="lots"),
        split("d", "alone", v1=1),
        skipped,
        orphan,
        cleared,
    )
    ended = await smi("diff", "-A")
    assert ended.code == 1
    assert rows(ended) == [
        [NAMESPACE, "alone", "d", "skipped", "v1=9", "v1=1"],
        [NAMESPACE, "broken", "c", "invalid", "-", "-"],
        [NAMESPACE, "changed", "b", "patch", "v1=1", "v1=2"],
        [NAMESPACE, "gone", "-", "delete", "v1=1", "-"],
        [NAMESPACE, "kept", "-", "clear", "v1=1", "-"],
        [NAMESPACE, "web", "canary", "create", "-", "v1=9,v2=1"],
    ]
    assert "shop/broken: invalid: " in ended.err


async def test_json_tells_the_same_with_profiles_and_authorities(
    smi: Smi, sandbox: Sandbox
) -> None:
    holding(sandbox, split(v1=9))
    ended = await smi("diff", "-A", "-o=json")
    assert ended.code == 1
    assert json.loads(ended.out) == {
        "inSync": False,
        "differences": [
            {
                "namespace": NAMESPACE,
                "service": "web",
                "split": "canary",
                "profile": "web.shop.svc.cluster.local",
                "change": "create",
                "now": None,
                "wanted": [{"authority": "v1.shop.svc.cluster.local", "weight": "9"}],
                "reason": "",
            }
        ],
    }


async def test_a_profile_left_alone_on_request_is_told_and_no_difference(
    smi: Smi, sandbox: Sandbox
) -> None:
    skipped = profile(v1="9")
    skipped["metadata"]["annotations"] = {"smi.linkerd.io/skip": ""}
    holding(sandbox, split(v1=1), skipped)
    ended = await smi("diff", "-A")
    assert (ended.code, rows(ended)[0][3]) == (0, "skipped")


async def test_files_are_laid_over_the_clusters_splits(
    smi: Smi, sandbox: Sandbox, tmp_path: Path
) -> None:
    holding(sandbox, split(v1=1), profile(v1="1"), split("away", "api", v1=1))
    file = tmp_path / "canary.json"
    file.write_text(json.dumps(split(v1=1)))
    ended = await smi("diff", "-f", str(file))
    assert (ended.code, ended.out) == (0, "")
    file.write_text(json.dumps(split(v1=9, v2=1)))
    ended = await smi("diff", "-f", str(file))
    assert ended.code == 1
    assert rows(ended) == [[NAMESPACE, "web", "canary", "patch", "v1=1", "v1=9,v2=1"]]


async def test_a_split_that_would_move_leaves_its_old_service(
    smi: Smi, sandbox: Sandbox, tmp_path: Path
) -> None:
    holding(sandbox, split(v1=1), profile(v1="1"))
    file = tmp_path / "canary.json"
    file.write_text(json.dumps(split(service="api", v1=1)))
    ended = await smi("diff", "-f", str(file))
    assert rows(ended) == [
        [NAMESPACE, "api", "canary", "create", "-", "v1=1"],
        [NAMESPACE, "web", "-", "delete", "v1=1", "-"],
    ]


async def test_a_new_split_of_a_service_that_is_split_would_be_shadowed(
    smi: Smi, sandbox: Sandbox, tmp_path: Path
) -> None:
    holding(sandbox, split("z", v1=1), profile(v1="1"))
    file = tmp_path / "canary.json"
    file.write_text(json.dumps(split("a", v1=2)))
    ended = await smi("diff", "-f", str(file))
    assert (ended.code, ended.out) == (0, "")
    assert f"{file}:1: warning ShadowedBy shop/a: " in ended.err


async def test_an_invalid_file_is_told_as_translate_tells_it(
    smi: Smi, sandbox: Sandbox, tmp_path: Path
) -> None:
    holding(sandbox, split(v1=1), profile(v1="1"))
    file = tmp_path / "canary.json"
    file.write_text(json.dumps(split(v1=-1)))
    ended = await smi("diff", "-f", str(file))
    assert (ended.code, rows(ended)[0][3]) == (1, "invalid")
    assert f"{file}:1: error InvalidWeight shop/canary: " in ended.err
    file.write_text("a: [")
    assert (await smi("diff", "-f", str(file))).code == 2


async def test_before_an_upgrade_it_tells_what_the_go_adaptor_left_behind(
    smi: Smi, sandbox: Sandbox
) -> None:
    holding(
        sandbox,
        written.split("web", NAMESPACE, "web", [("web", 1000), ("new", 0.5)]),
        written.profile("web", NAMESPACE, [("web", "1k"), ("new", "500m")]),
        written.profile("gone", NAMESPACE, [("gone", "1")]),
        written.profile("cleared", NAMESPACE, []),
    )
    ended = await smi("diff", "-A")
    assert (ended.code, rows(ended)) == (1, [[NAMESPACE, "gone", "-", "delete", "gone=1", "-"]])


async def test_the_domain_is_that_of_the_adaptors_deployment(smi: Smi, sandbox: Sandbox) -> None:
    moved = profile(v1="1")
    moved["metadata"]["name"] = "web.shop.svc.corp.example"
    moved["spec"]["dstOverrides"][0]["authority"] = "v1.shop.svc.corp.example"
    labels = {"linkerd.io/extension": "smi", "component": "smi-adaptor"}
    container = {"name": "smi-adaptor", "args": ["-cluster-domain=corp.example"]}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "smi-adaptor", "namespace": "other", "labels": labels},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }
    holding(sandbox, split(v1=1), moved, deployment)
    assert (await smi("diff", "-A")).code == 0
    assert (await smi("diff", "-A", "--cluster-domain=cluster.local")).code == 1


async def test_a_cluster_without_the_definition_is_no_cluster_in_sync(
    smi: Smi, sandbox: Sandbox
) -> None:
    holding(sandbox, profile(v1="1"))
    sandbox.faults.hide("trafficsplits")
    ended = await smi("diff", "-A")
    assert (ended.code, ended.out) == (1, "")
    assert "serves no TrafficSplits" in ended.err


async def test_a_namespace_that_is_not_there_is_no_namespace_in_sync(
    smi: Smi, sandbox: Sandbox
) -> None:
    ended = await smi("diff", "-n", "shpo")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == "linkerd-smi: there is no namespace shpo\n"
    ended = await smi("diff", "-n", "default")
    assert (ended.code, ended.err) == (0, "in sync: 0 services with a split\n")


@pytest.mark.parametrize("wrong", [["-A", "-n", "x"], ["-A", "-f", "x"], ["-n", "x_y"]])
async def test_wrong_usage_is_exit_code_2(smi: Smi, wrong: list[str]) -> None:
    assert (await smi("diff", *wrong)).code == 2


async def test_a_pipeline_sees_with_kubectl_diff_what_translate_would_change(
    control_plane: ControlPlane,
    admin: Api,
    cluster_namespace: str,
    kubectl: Path,
    tmp_path: Path,
    linkerd_smi: Callable[[Path], Smi],
) -> None:
    """On a real API server: split, profile by `translate`, `kubectl diff`, then our own diff."""
    smi = linkerd_smi(control_plane.admin_kubeconfig)
    file = tmp_path / "split.json"
    file.write_text(json.dumps(guide.split(cluster_namespace)))
    profiles = (await smi("translate", "-f", str(file))).out

    async def kubectls(*arguments: str) -> tuple[int | None, str]:
        process = await asyncio.create_subprocess_exec(
            *(str(kubectl), f"--kubeconfig={control_plane.admin_kubeconfig}", *arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await asyncio.wait_for(process.communicate(profiles.encode()), 60)
        return process.returncode, out.decode()

    code, told = await kubectls("diff", "-f", "-")
    assert (code, '+    weight: "500"' in told) == (1, True), told
    code, told = await kubectls("apply", "-f", "-")
    assert code == 0, told
    assert (await kubectls("diff", "-f", "-"))[0] == 0

    await admin.ensure(guide.split(cluster_namespace))
    in_sync = await smi("diff", "-n", cluster_namespace)
    assert (in_sync.code, in_sync.out) == (0, "")
    await admin.patch(
        SERVICEPROFILES,
        guide.host(guide.APEX, cluster_namespace),
        {"spec": {"dstOverrides": None}},
        cluster_namespace,
    )
    ended = await smi("diff", "-n", cluster_namespace)
    assert (ended.code, rows(ended)[0][3]) == (1, "patch")
