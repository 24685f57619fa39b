"""That the stand-ins have the shape of what they stand for."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.cluster.api import Api
from tests.legacy import chart, written


def test_the_old_chart_renders_the_old_objects(helm: Path) -> None:
    found = {
        (one["kind"], one["metadata"]["name"])
        for one in chart.rendered(helm)
        if not chart.is_hook(one)
    }
    assert found == {
        ("Deployment", "smi-adaptor"),
        ("ServiceAccount", "smi-adaptor"),
        ("ClusterRole", "smi-adaptor"),
        ("ClusterRoleBinding", "smi-adaptor"),
        ("CustomResourceDefinition", "trafficsplits.split.smi-spec.io"),
    }


def test_the_old_deployment_has_the_old_image_and_limit(helm: Path) -> None:
    (deployment,) = [one for one in chart.rendered(helm) if one["kind"] == "Deployment"]
    assert deployment["metadata"]["namespace"] == "linkerd-smi"
    assert "strategy" not in deployment["spec"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "cr.l5d.io/linkerd/smi-adaptor:v0.2.7"
    assert container["resources"]["limits"] == {"cpu": "100m", "memory": "20Mi"}
    assert container["args"] == ["-cluster-domain=cluster.local"]


def test_the_old_definition_serves_two_versions_whose_weights_differ(helm: Path) -> None:
    crd = chart.traffic_split_crd(helm)
    weights = {
        version["name"]: version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"][
            "backends"
        ]["items"]["properties"]["weight"]
        for version in crd["spec"]["versions"]
    }
    assert weights == {
        "v1alpha1": {"x-kubernetes-int-or-string": True},
        "v1alpha2": {"type": "number"},
    }
    assert [one["name"] for one in crd["spec"]["versions"] if one["storage"]] == ["v1alpha1"]


def test_the_old_cli_printed_a_labelled_namespace_and_no_hooks(helm: Path) -> None:
    first, *rest = chart.installed_by_cli(helm, namespace="custom")
    assert first["metadata"] == {"name": "custom", "labels": {"linkerd.io/extension": "smi"}}
    assert {"Job", "Role", "RoleBinding"}.isdisjoint(one["kind"] for one in rest)
    assert {one["metadata"].get("namespace", "custom") for one in rest} == {"custom"}


def test_helm_finds_no_fault_in_the_old_chart(helm: Path) -> None:
    done = subprocess.run(
        [str(helm), "lint", str(chart.CHART)], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


async def test_a_profile_of_the_go_adaptor_says_who_wrote_it(
    admin: Api, cluster_namespace: str
) -> None:
    created = await written.write(
        admin, "web", cluster_namespace, [("web", "500"), ("new", "500m")]
    )

    assert set(created["spec"]) == {"dstOverrides"}
    (entry,) = created["metadata"]["managedFields"]
    assert (entry["manager"], entry["operation"]) == ("smi-adaptor", "Update")
    assert entry["fieldsV1"] == {"f:spec": {".": {}, "f:dstOverrides": {}}}

    replaced = await written.write(admin, "web", cluster_namespace, [("web", "1k")])
    assert [one["weight"] for one in replaced["spec"]["dstOverrides"]] == ["1k"]
    cleared = await written.clear(admin, "web", cluster_namespace)
    assert cleared["spec"] == {}
