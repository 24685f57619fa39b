"""`install` and `uninstall` with the real kubectl on a real API server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.control_plane import ControlPlane
from tests.cluster.crds import service_profile_crd
from tests.guide import core
from tests.install.cluster import Cluster
from tests.install.installation import KINDS, Installation, labelled

Object = dict[str, Any]

PARTS = ("destination", "identity", "proxy-injector")


@pytest.fixture(scope="module")
def plane(
    cluster_programs: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ControlPlane]:
    """An API server of this module's own: what bears our label is removed from it."""
    with ControlPlane(tmp_path_factory.mktemp("install")) as plane:
        yield plane


@pytest.fixture(scope="module")
def bare(plane: ControlPlane, kubectl: Path, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """A cluster without Linkerd; tests leave it as they found it."""
    return Cluster(
        kubectl=kubectl,
        kubeconfig=plane.admin_kubeconfig,
        home=tmp_path_factory.mktemp("install-home"),
    )


@pytest.fixture(scope="module")
def stranger(
    plane: ControlPlane, kubectl: Path, tmp_path_factory: pytest.TempPathFactory
) -> Cluster:
    """The same as a user without rights."""
    return Cluster(
        kubectl=kubectl,
        kubeconfig=plane.stranger_kubeconfig,
        home=tmp_path_factory.mktemp("stranger-home"),
    )


@pytest.fixture(scope="module")
def cluster(bare: Cluster) -> Cluster:
    """With Linkerd's namespace and its Deployments, none of them ready at first."""
    bare.apply(*(one for one in core.objects() if one["kind"] in ("Namespace", "Deployment")))
    return bare


def documents(text: str) -> list[Object]:
    return list(yaml.safe_load_all(text))


def names(objects: list[Object]) -> list[tuple[str, str]]:
    return [(one["kind"], one["metadata"]["name"]) for one in objects]


def test_without_linkerds_namespace_it_ends_at_once(bare: Cluster) -> None:
    ended = bare.smi("install", "-L", "elsewhere")
    assert ended.code == 1
    assert ended.out == ""
    assert ended.err == (
        "linkerd-smi: there is no namespace elsewhere with Linkerd's core: install Linkerd first, "
        "or name its namespace with --linkerd-namespace; --skip-checks renders without this\n"
    )


def test_no_answer_and_no_right_to_ask_are_told_apart(
    bare: Cluster, stranger: Cluster, tmp_path: Path
) -> None:
    cluster = {"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}
    context = {"name": "c", "context": {"cluster": "c"}}
    config = {"clusters": [cluster], "contexts": [context], "current-context": "c"}
    (tmp_path / "dead").write_text(json.dumps(config))
    dead = bare.smi("install", "--wait=0s", "--kubeconfig", str(tmp_path / "dead"))
    assert (dead.code, dead.out) == (1, "")
    assert "the cluster does not answer" in dead.err
    assert "--skip-checks renders without this" in dead.err
    refused = stranger.smi("install", "--wait=60s")
    assert (refused.code, refused.out) == (1, "")
    assert "can't see whether Linkerd's core is up" in refused.err


def test_it_waits_until_the_core_is_up_and_says_for_what(cluster: Cluster) -> None:
    cluster.make_ready(["identity"])
    late = cluster.smi("install", "--wait=0s")
    assert (late.code, late.out) == (1, "")
    assert "nothing is ready of destination, proxy-injector in linkerd (after 0 s)" in late.err
    with cluster.start("install", "--wait=1m0s") as process:
        assert process.stderr is not None
        told = process.stderr.readline()
        cluster.make_ready(PARTS)
        out, rest = process.communicate(timeout=60)
    assert told == (
        "linkerd-smi: Linkerd's core is not up: nothing is ready of destination, proxy-injector in "
        "linkerd; waiting up to 60 s\n"
    )
    assert process.returncode == 0
    assert "the audit log will lie in an emptyDir" in rest.splitlines()[-1]
    assert documents(out)[0]["kind"] == "Namespace"


def test_skip_checks_asks_for_the_version_alone_and_ignore_cluster_for_nothing(
    bare: Cluster, tmp_path: Path
) -> None:
    skipped = bare.smi("install", "--skip-checks", "-L", "elsewhere")
    assert skipped.code == 0
    assert "no cluster tells its version" not in skipped.err
    gone = ("--kubeconfig", str(tmp_path / "gone"))
    ignoring = bare.smi("install", "--ignore-cluster", *gone)
    assert ignoring.code == 0
    assert ignoring.err.count("\n") == 1
    assert documents(ignoring.out) == documents(skipped.out)
    alone = bare.smi("install", "--skip-checks", *gone)
    assert alone.code == 0
    assert "rendered for the newest Kubernetes, as no cluster tells its version" in alone.err
    assert alone.out == ignoring.out
    assert bare.smi("install", *gone).code == 1


def test_stderr_says_that_the_log_goes_with_its_pod_unless_it_is_kept(bare: Cluster) -> None:
    flags = ("install", "--ignore-cluster")
    assert "go with its pod" in bare.smi(*flags).err
    assert bare.smi(*flags, "--set", "audit.persistence.enabled=true").err == ""


def test_flags_are_taken_in_helms_and_in_gos_spellings(bare: Cluster, tmp_path: Path) -> None:
    values = tmp_path / "values.yaml"
    values.write_text("adaptor: {replicas: 2, logLevel: debug}\n")
    ended = bare.smi(
        *("install", "--ignore-cluster=true", "--skip-checks=false", "-n=mesh", "-L=core"),
        *(f"-f={values}", "--set=adaptor.replicas=3,networkPolicy.enabled=true"),
        *("--set-string", "adaptor.podLabels.a=1", "--kube-version=v1.29.3"),
    )
    assert ended.code == 0, ended.err
    found = {one["kind"]: one for one in documents(ended.out)}
    assert found["Namespace"]["metadata"]["name"] == "mesh"
    assert found["Deployment"]["metadata"]["namespace"] == "mesh"
    assert found["Deployment"]["spec"]["replicas"] == 3
    assert found["Deployment"]["spec"]["template"]["metadata"]["labels"]["a"] == "1"
    container = found["Deployment"]["spec"]["template"]["spec"]["containers"][0]
    assert "-log-level=debug" in container["args"]
    egress = found["NetworkPolicy"]["spec"]["egress"][1]["to"][0]["namespaceSelector"]
    assert egress == {"matchLabels": {"kubernetes.io/metadata.name": "core"}}
    assert "minLength" not in str(found["CustomResourceDefinition"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "adaptor.replicas=two"], "values: adaptor.replicas: expected a whole number"),
        (["--set", "a[=1"], "--set a[=1: an index must end with ']'"),
        (["-f", "gone.yaml"], "--values gone.yaml: can't be read: No such file or directory"),
        (["-n", "a_b"], "--namespace: 'a_b' is no namespace"),
        (["--wait", "soon"], "--wait=soon: write a duration such as"),
        (["--kube-version", "new"], "'new' is no version of Kubernetes, such as 1.30"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(
    bare: Cluster, arguments: list[str], message: str
) -> None:
    ended = bare.smi("install", "--skip-checks", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"linkerd-smi: {message}")
    assert ended.err.count("\n") == 1


@pytest.fixture(scope="module")
def installation(cluster: Cluster) -> Installation:
    return Installation(cluster)


@pytest.fixture
def installed(installation: Installation) -> Installation:
    """It is there."""
    installation.ensure()
    return installation


def test_kubectl_takes_it_and_a_second_time_nothing_changes(installation: Installation) -> None:
    installation.remove()
    cluster = installation.cluster
    cluster.make_ready(PARTS)
    printed = cluster.smi("install").out
    created = cluster.kubectl("create", "-f", "-", stdin=printed).splitlines()
    assert len(created) == len(documents(printed))
    assert [line for line in created if not line.endswith(" created")] == []
    cluster.kubectl("apply", "-f", "-", stdin=printed)
    again = cluster.kubectl("apply", "-f", "-", stdin=printed).splitlines()
    assert [line for line in again if not line.endswith(" unchanged")] == []
    assert cluster.kubectl("diff", "-f", "-", stdin=printed) == ""
    found = set(names(cluster.get(KINDS, "-A", "-l", "linkerd.io/extension=smi")))
    assert found == set(names(documents(printed)))
    installation.remove()


def test_uninstall_names_all_that_bears_the_label_and_counts_the_splits(
    installed: Installation,
) -> None:
    ended = installed.cluster.smi("uninstall")
    assert ended.code == 0
    assert ended.err == (
        "linkerd-smi: the definition of TrafficSplit takes 3 splits in 2 namespaces along; "
        "--keep-crd leaves them\n"
    )
    found = documents(ended.out)
    assert all(set(one) == {"apiVersion", "kind", "metadata"} for one in found)
    assert all(set(one["metadata"]) <= {"name", "namespace"} for one in found)
    labelled = names(installed.cluster.get(KINDS, "-A", "-l", "linkerd.io/extension=smi"))
    inside = [
        ("ServiceAccount", "smi-adaptor"),
        ("Role", "smi-adaptor"),
        ("RoleBinding", "smi-adaptor"),
        ("Deployment", "smi-adaptor"),
    ]
    # What is in the namespace goes with it, and kubectl would not find it any more.
    assert sorted([*names(found), *inside]) == sorted(labelled)
    assert names(found)[-2:] == [
        ("CustomResourceDefinition", "trafficsplits.split.smi-spec.io"),
        ("Namespace", installed.namespace),
    ]


def test_kubectl_deletes_what_uninstall_prints(installed: Installation) -> None:
    cluster = installed.cluster
    ended = cluster.smi("uninstall", "--keep-crd")
    assert ended.err == ""
    assert "CustomResourceDefinition" not in {one["kind"] for one in documents(ended.out)}
    told = cluster.kubectl("delete", "--wait=false", "-f", "-", stdin=ended.out)
    assert told.count(" deleted") == len(documents(ended.out))
    assert len(cluster.get("trafficsplits", "-A")) == 3
    left = cluster.smi("uninstall").out
    crd = "trafficsplits.split.smi-spec.io"
    namespace = ("Namespace", installed.namespace)
    assert names(documents(left)) == [("CustomResourceDefinition", crd), namespace]
    cluster.kubectl("delete", "--wait=false", "-f", "-", stdin=left)
    cluster.kubectl("wait", "--for=delete", f"crd/{crd}", "--timeout=30s")
    installed.remove()


def test_a_namespace_in_which_others_live_stays(installed: Installation) -> None:
    service = {"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": 80}]}}
    web = {**service, "metadata": {"name": "web", "namespace": "shared"}}
    with installed.beside(
        labelled("Namespace", "shared"),
        labelled("Namespace", "default"),
        web,
        labelled("ConfigMap", "ours", "shared"),
        labelled("ConfigMap", "somewhere", "default"),
    ):
        ended = installed.cluster.smi("uninstall")
    assert "namespace default stays, as there is more in it than the extension" in ended.err
    assert "namespace shared stays, as there is more in it than the extension" in ended.err
    found = documents(ended.out)
    assert [name for kind, name in names(found) if kind == "Namespace"] == [installed.namespace]
    assert {("ConfigMap", "ours"), ("ConfigMap", "somewhere")} <= set(names(found))


def test_stderr_tells_of_helm_and_of_a_log_that_goes(installed: Installation) -> None:
    notes = {
        "meta.helm.sh/release-name": "smi-1",
        "meta.helm.sh/release-namespace": "default",
    }
    claim = {
        **labelled("PersistentVolumeClaim", "smi-adaptor-audit", "default", annotations=notes),
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    with installed.beside(claim):
        told = installed.cluster.smi("uninstall").err
    assert "helm installed this, so rather: helm uninstall smi-1 --namespace default\n" in told
    assert "the audit log goes, too: PersistentVolumeClaim default/smi-adaptor-audit\n" in told


def test_stderr_tells_that_overrides_stay_in_force(installed: Installation) -> None:
    installed.cluster.apply(service_profile_crd())
    installed.cluster.kubectl(
        "wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"
    )
    name = "web.default.svc.cluster.local"
    overrides = [{"authority": name, "weight": "1"}]
    installed.cluster.apply(
        {
            "apiVersion": "linkerd.io/v1alpha2",
            "kind": "ServiceProfile",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"dstOverrides": overrides},
        }
    )
    try:
        told = installed.cluster.smi("uninstall", "--keep-crd").err
    finally:
        installed.cluster.kubectl("delete", "serviceprofile", name)
    assert told == (
        "linkerd-smi: Linkerd goes on by the overrides of 1 ServiceProfile; the adaptor takes back "
        "its own when you delete the splits while it runs\n"
    )


def test_a_group_that_does_not_answer_is_named_and_the_rest_is_found(
    installed: Installation,
) -> None:
    group = "broken.example.com"
    service = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": f"v1.{group}"},
        "spec": {
            "group": group,
            "version": "v1",
            "groupPriorityMinimum": 1,
            "versionPriority": 1,
            "insecureSkipTLSVerify": True,
            "service": {"name": "gone", "namespace": "default"},
        },
    }
    installed.cluster.apply(service)
    try:
        ended = installed.cluster.smi("uninstall")
    finally:
        installed.cluster.kubectl("delete", "apiservice", f"v1.{group}")
    assert f"not searched: GET /apis/{group}/v1" in ended.err
    assert ("Namespace", installed.namespace) in names(documents(ended.out))


def test_whoever_may_list_nothing_is_told_so(stranger: Cluster) -> None:
    ended = stranger.smi("uninstall")
    assert (ended.code, ended.out) == (1, "")
    assert "you may not list" in ended.err
    assert "customresourcedefinitions" in ended.err


def test_nothing_to_remove_is_no_failure(installation: Installation) -> None:
    installation.remove()
    ended = installation.cluster.smi("uninstall", "--context", "tests")
    assert (ended.code, ended.out) == (0, "")
    assert (
        ended.err == "linkerd-smi: there is nothing to remove that bears linkerd.io/extension=smi\n"
    )
