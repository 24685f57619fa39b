"""What the chart renders, by values."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from reactor import __version__
from tests.chart.render import CHART, NAMESPACE, ROOT, RefusedError, container, one, render
from tests.cluster.api import Object, Objects
from tests.cluster.crds import load

OLD_VALUES = ROOT / "tests" / "legacy" / "chart" / "values.yaml"


@pytest.fixture(scope="module")
def defaults(helm: Path) -> Objects:
    return render(helm)


@pytest.mark.parametrize("everything", [False, True], ids=["defaults", "everything"])
def test_helm_finds_no_fault_in_the_chart(helm: Path, everything: bool) -> None:
    command = [str(helm), "lint", "--strict", str(CHART), *(_EVERYTHING if everything else [])]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_chart_and_the_image_have_the_projects_version(defaults: Objects) -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["version"] == chart["appVersion"] == __version__
    image = container(defaults)["image"]
    assert image == f"ghcr.io/linkerd-smi-reactor/smi-adaptor:{__version__}"


def test_it_makes_what_the_adaptor_needs_and_nothing_more(defaults: Objects) -> None:
    found = {(o["kind"], o["metadata"]["name"]) for o in defaults}
    assert found == {
        ("ServiceAccount", "smi-adaptor"),
        ("ClusterRole", "smi-adaptor"),
        ("ClusterRole", "smi-adaptor-audit-reader"),
        ("ClusterRoleBinding", "smi-adaptor"),
        ("Role", "smi-adaptor"),
        ("RoleBinding", "smi-adaptor"),
        ("Deployment", "smi-adaptor"),
        ("CustomResourceDefinition", "trafficsplits.split.smi-spec.io"),
    }


def test_every_object_bears_the_extensions_label_and_names_its_namespace(helm: Path) -> None:
    cluster_wide = {"ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition"}
    for rendered in render(helm, *_EVERYTHING, hooks=True):
        metadata = rendered["metadata"]
        assert metadata["labels"]["linkerd.io/extension"] == "smi", rendered
        expected = None if rendered["kind"] in cluster_wide else NAMESPACE
        assert metadata.get("namespace") == expected, rendered


def test_the_roles_are_those_of_config_rbac(defaults: Objects) -> None:
    for path in (ROOT / "config" / "rbac").glob("*.yaml"):
        for document in load(path):
            if document["kind"] != "Namespace":
                assert document == one(defaults, document["kind"], document["metadata"]["name"])


def test_the_selector_is_the_old_one_since_it_can_never_change(defaults: Objects) -> None:
    spec = one(defaults, "Deployment")["spec"]
    selector = {"linkerd.io/extension": "smi", "component": "smi-adaptor"}
    assert spec["selector"] == {"matchLabels": selector}
    assert spec["template"]["metadata"]["labels"] == selector
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}


_EVERYTHING = [
    "--set=audit.persistence.enabled=true,podMonitor.enabled=true",
    "--set=networkPolicy.enabled=true,grafanaDashboard.enabled=true",
    "--set=audit.archive.existingSecret=archive,audit.archive.ca.existingConfigMap=authority",
    "--set=audit.readers[0].kind=Group,audit.readers[0].name=auditors",
]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        _EVERYTHING,
        ["--values", str(OLD_VALUES)],
        ["--set=adaptor=null,audit=null,podMonitor=null,networkPolicy=null"],
        ["--set=namespaceMetadata=null,grafanaDashboard=null,imagePullSecrets=null"],
        ["--set=clusterDomain=null,linkerdNamespace=null,priorityClassName=null"],
        ["--set=audit.persistence=null,adaptor.image=null,adaptor.resources=null"],
        ["--set=namespaceMetadata.image=null,audit.retention=null,audit.archive=null"],
        ["--set=clusterName=null,audit.readers=null,audit.archive.ca=null"],
        ["--set=adaptor.runAsUser=null,adaptor.tolerations=null,adaptor.affinity=null"],
    ],
    ids=" ".join,
)
def test_it_renders_whatever_is_left_out(helm: Path, arguments: list[str]) -> None:
    rendered = render(helm, *arguments, hooks=True)
    assert container(rendered)["image"].endswith(f"/smi-adaptor:{__version__}")


def test_the_flags_are_what_the_values_say(helm: Path) -> None:
    assert container(
        render(
            helm,
            "--set=clusterDomain=example.org,adaptor.logLevel=debug,adaptor.logFormat=json",
            "--set=adaptor.orphans=keep,audit.retention.age=12h,audit.retention.size=512MiB",
            "--set=clusterName=eu-1,audit.archive.existingSecret=a,audit.archive.retention.age=2w",
        )
    )["args"] == [
        "-cluster-domain=example.org",
        "-cluster-name=eu-1",
        "-log-level=debug",
        "-log-format=json",
        "-orphans=keep",
        "-audit-retention-age=12h",
        "-audit-retention-size=512MiB",
        "-archive-retention-age=2w",
    ]


def test_large_numbers_stay_numbers(helm: Path) -> None:
    rendered = render(
        helm,
        "--set=adaptor.runAsUser=1000650000,adaptor.fsGroup=1000650000",
        "--set=adaptor.resources.limits.memory=2684354560,adaptor.resources.limits.cpu=0.5",
    )
    assert container(rendered)["securityContext"]["runAsUser"] == 1000650000
    pod = one(rendered, "Deployment")["spec"]["template"]["spec"]
    assert pod["securityContext"]["fsGroup"] == 1000650000
    limits = container(rendered)["resources"]["limits"]
    assert limits == {"memory": "2684354560", "cpu": "0.5"}


def test_an_empty_limit_is_no_limit(helm: Path) -> None:
    rendered = render(helm, "--set=adaptor.resources.limits.memory=")
    assert container(rendered)["resources"] == {"requests": {"cpu": "100m", "memory": "128Mi"}}


def test_what_decides_where_pods_run_reaches_them(helm: Path, tmp_path: Path) -> None:
    values: Object = {
        "priorityClassName": "system-cluster-critical",
        "imagePullSecrets": [{"name": "registry"}],
        "adaptor": {
            "affinity": {"podAntiAffinity": {}},
            "nodeSelector": {"kubernetes.io/os": "linux"},
            "tolerations": [{"operator": "Exists"}],
            "podAnnotations": {"team": "mesh", "linkerd.io/inject": "ingress"},
            "podLabels": {"team": "mesh", "component": "other"},
        },
    }
    given = tmp_path / "values.yaml"
    given.write_text(yaml.safe_dump(values))
    rendered = render(helm, "--values", str(given))
    template = one(rendered, "Deployment")["spec"]["template"]
    assert template["metadata"]["annotations"] == values["adaptor"]["podAnnotations"]
    assert template["metadata"]["labels"] == {
        "team": "mesh",
        "component": "smi-adaptor",
        "linkerd.io/extension": "smi",
    }
    for name in ("affinity", "nodeSelector", "tolerations"):
        assert template["spec"][name] == values["adaptor"][name]
    assert template["spec"]["priorityClassName"] == "system-cluster-critical"
    assert one(rendered, "ServiceAccount")["imagePullSecrets"] == [{"name": "registry"}]


def test_without_persistence_the_log_lies_in_an_emptydir_that_holds_it(helm: Path) -> None:
    values = "--set=audit.retention.size=5GiB,audit.persistence.size=6Gi"
    volumes = one(render(helm, values), "Deployment")["spec"]["template"]["spec"]["volumes"]
    assert volumes == [{"name": "audit", "emptyDir": {"sizeLimit": "6Gi"}}]


def test_powers_of_ten_are_smaller_than_powers_of_two(helm: Path) -> None:
    # 2 GB and 64 MiB are 2067 million bytes, 2 GiB 2147 million.
    assert (
        "-audit-retention-size=2G"
        in container(render(helm, "--set=audit.retention.size=2G"))["args"]
    )


def test_with_persistence_it_lies_in_a_claim_that_outlives_the_release(helm: Path) -> None:
    rendered = render(helm, "--set=audit.persistence.enabled=true,audit.persistence.storageClass=x")
    claim = one(rendered, "PersistentVolumeClaim", "smi-adaptor-audit")
    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert claim["spec"]["storageClassName"] == "x"
    assert claim["spec"]["resources"] == {"requests": {"storage": "2Gi"}}
    (volume,) = one(rendered, "Deployment")["spec"]["template"]["spec"]["volumes"]
    assert volume["persistentVolumeClaim"] == {"claimName": "smi-adaptor-audit"}


def test_a_claim_that_is_there_already_is_used_and_none_is_made(helm: Path) -> None:
    values = "--set=audit.persistence.enabled=true,audit.persistence.existingClaim=mine"
    rendered = render(helm, values)
    assert "PersistentVolumeClaim" not in {o["kind"] for o in rendered}
    (volume,) = one(rendered, "Deployment")["spec"]["template"]["spec"]["volumes"]
    assert volume["persistentVolumeClaim"] == {"claimName": "mine"}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            "audit.persistence.size=1Gi",
            "audit.persistence.size: 1Gi can't hold audit.retention.size, 1GiB, and 64Mi of "
            "write-ahead log: set it to 1088Mi or more",
        ),
        (
            "audit.retention.size=2GiB",
            "audit.persistence.size: 2Gi can't hold audit.retention.size, 2GiB, and 64Mi",
        ),
        (
            "audit.persistence.existingClaim=mine",
            "audit.persistence.existingClaim: it is used only with audit.persistence.enabled: true",
        ),
        (
            "adaptor.replicas=2,audit.persistence.enabled=true",
            "adaptor.replicas: 2 adaptors can't share the volume of one audit log: set it to 1, or "
            "audit.persistence.enabled to false",
        ),
        (
            "audit.archive.ca.existingConfigMap=authority",
            "audit.archive.ca: it is used only with audit.archive.existingSecret, which holds the "
            "URL",
        ),
        (
            "audit.archive.ca.existingConfigMap=a,audit.archive.ca.existingSecret=a",
            "audit.archive.ca: existingConfigMap and existingSecret exclude each other: give one "
            "of them",
        ),
        (
            "audit.readers[0].kind=User,audit.readers[0].name=eve,audit.readers[0].namespace=ops",
            "audit.readers[0]: a User is in no namespace: leave it out",
        ),
    ],
)
def test_values_that_contradict_each_other_are_refused_by_name(
    helm: Path, values: str, message: str
) -> None:
    with pytest.raises(RefusedError) as refused:
        render(helm, f"--set={values}")
    assert message in str(refused.value)
