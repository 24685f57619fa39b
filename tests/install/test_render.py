"""`render` makes, object by object, what the real helm makes of the chart with the same values."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import yaml

from reactor.errors import Fatal
from reactor.install import goyaml, packed
from reactor.install.render import render
from reactor.install.schema import KEYWORDS, faults
from reactor.install.values import Sources, coalesced, given
from reactor.install.version import OLDEST, Version, parsed
from tests.install.generated import trees
from tests.install.helm import Helm

Tree = dict[str, Any]
Objects = dict[tuple[str, str], Tree]

CHART = Path(__file__).resolve().parents[2] / "config" / "chart" / "linkerd-smi"
LEGACY = Path(__file__).resolve().parents[1] / "legacy" / "chart" / "values.yaml"


def keyed(documents: list[Tree]) -> Objects:
    """By kind and name, which are all different."""
    found = {(one["kind"], one["metadata"]["name"]): one for one in documents}
    assert len(found) == len(documents)
    return found


class Pair:
    """The two programs, given the same values."""

    def __init__(self, helm: Helm) -> None:
        self._helm = helm

    def helms(self, *arguments: str, namespace: str = "linkerd-smi", kube: str = "1.36") -> Any:
        """Helm's objects, or its complaint."""
        out, complaint = self._helm.template(
            CHART, f"--namespace={namespace}", f"--kube-version={kube}", "--no-hooks", *arguments
        )
        if complaint:
            return complaint
        return keyed([one for one in goyaml.load_all(out.encode()) if isinstance(one, dict)])

    def ours(self, sources: Sources, *, namespace: str = "linkerd-smi", kube: str = "1.36") -> Any:
        """Our objects, or our complaint."""
        try:
            tree = coalesced(given(sources), packed.defaults())
            made = render(tree, namespace=namespace, kube_version=parsed(kube))
        except Fatal as error:
            return str(error)
        return keyed(made)


@pytest.fixture(scope="session")
def pair(renderer: Helm) -> Pair:
    return Pair(renderer)


MATRIX = [
    "",
    "adaptor.image.tag=v1,adaptor.image.registry=registry.example,adaptor.image.name=a/b",
    "adaptor.image.pullPolicy=Always,adaptor.replicas=3",
    "adaptor.replicas=0",
    "adaptor.image.registry=cr.l5d.io/linkerd,adaptor.image.tag=v0.2.7",
    "adaptor.resources.limits.memory=20Mi,adaptor.resources.limits.cpu=100m",
    "adaptor.resources.limits.memory=20Mi,adaptor.resources.requests.memory=20Mi",
    "adaptor.resources.limits.memory=2684354560,adaptor.resources.limits.cpu=",
    "adaptor.resources=null",
    "adaptor.runAsUser=null,adaptor.fsGroup=0",
    "adaptor.runAsUser=1000650000,adaptor.fsGroup=1000650000",
    "adaptor=null,audit=null",
    "audit.persistence.enabled=true",
    "audit.persistence.enabled=true,audit.persistence.storageClass=fast,audit.persistence.size=5Gi",
    "audit.persistence.enabled=true,audit.persistence.existingClaim=mine",
    "audit.retention.age=12h,audit.retention.size=512MiB,adaptor.orphans=keep",
    "adaptor.podAnnotations.linkerd\\.io/inject=ingress,adaptor.podAnnotations.a=b",
    "adaptor.podLabels.component=other,adaptor.podLabels.team=mesh",
    "adaptor.nodeSelector.kubernetes\\.io/arch=amd64,adaptor.tolerations[0].operator=Exists",
    "adaptor.affinity.nodeAffinity.x[0].weight=1,priorityClassName=system-cluster-critical",
    "imagePullSecrets[0].name=one,imagePullSecrets[1].name=two",
    "clusterDomain=example.org,linkerdNamespace=mesh,networkPolicy.enabled=true",
    "networkPolicy.enabled=true,linkerdNamespace=y,audit.persistence.enabled=true,"
    "audit.persistence.existingClaim=1e3",
    "networkPolicy.enabled=true,networkPolicy.from[0].podSelector.matchLabels.a=b",
    "networkPolicy.enabled=true,networkPolicy.apiServerPorts={8443}",
    "podMonitor.enabled=true,podMonitor.interval=10s,podMonitor.labels.release=prometheus",
    "grafanaDashboard.enabled=true,grafanaDashboard.annotations.folder=Mesh",
    "podMonitor=null,grafanaDashboard=null,networkPolicy=null,namespaceMetadata=null",
    "clusterName=eu-1,audit.archive.existingSecret=archive",
    "clusterName=null,audit.archive.existingSecret=1e3,audit.archive.key=y,"
    "audit.archive.retention.age=2w",
    "audit.archive.existingSecret=a,audit.archive.ca.existingConfigMap=1e3,audit.archive.ca.key=y",
    "audit.archive.existingSecret=a,audit.archive.ca.existingSecret=a,audit.archive.ca.key=null",
    "audit.archive.existingSecret=a,audit.archive.key=null,audit.archive.retention=null,"
    "audit.archive.ca=null,networkPolicy.enabled=true",
    "audit.archive=null,audit.readers=null,networkPolicy.enabled=true",
    "audit.archive.existingSecret=a,networkPolicy.enabled=true,networkPolicy.archivePorts={5433,4143}"
    ",networkPolicy.archiveTo[0].ipBlock.cidr=10.0.0.0/8",
    "audit.readers[0].kind=Group,audit.readers[0].name=team: a,audit.readers[1].kind=User,"
    "audit.readers[1].name=1e3",
    "audit.readers[0].kind=ServiceAccount,audit.readers[0].name=one,"
    "audit.readers[1].kind=ServiceAccount,audit.readers[1].name=two,audit.readers[1].namespace=ops",
]


@pytest.mark.parametrize("assignments", MATRIX)
def test_the_same_values_make_the_same_objects(pair: Pair, assignments: str) -> None:
    ours = pair.ours(Sources(assignments=[assignments]))
    assert isinstance(ours, dict), ours
    assert ours == pair.helms(f"--set={assignments}")


def test_an_old_values_file_makes_the_same_objects(pair: Pair) -> None:
    ours = pair.ours(Sources(files=[str(LEGACY)]))
    assert isinstance(ours, dict), ours
    assert ours == pair.helms(f"--values={LEGACY}")


def test_amounts_are_written_as_go_writes_numbers(pair: Pair, tmp_path: Path) -> None:
    amounts = [0, 1, 0.5, 0.1, 1e-4, 1.234e-4, 1e-5, 1.5e-7, 123456.5, 1234567.5, 1e15, 2684354560]
    limits = {f"n{number}": amount for number, amount in enumerate(amounts)}
    file = tmp_path / "values.yaml"
    file.write_text(json.dumps({"adaptor": {"resources": {"limits": limits}}}))
    ours = pair.ours(Sources(files=[str(file)]))
    assert isinstance(ours, dict), ours
    assert ours == pair.helms(f"--values={file}")


@pytest.mark.parametrize("kube", ["1.22.0", "1.29.14", "v1.30.0", "1.30.0-alpha.1", "1.36.3"])
def test_the_definition_depends_on_the_version_as_in_the_chart(pair: Pair, kube: str) -> None:
    ours = pair.ours(Sources(), kube=kube)
    assert isinstance(ours, dict), ours
    assert ours == pair.helms(kube=kube)


def test_the_namespace_reaches_every_object(pair: Pair) -> None:
    assert pair.ours(Sources(), namespace="mesh-smi") == pair.helms(namespace="mesh-smi")


REFUSED = [
    "adaptor.replicas=two",
    "adaptor.replicas=-1",
    "adaptor.replicas=2,audit.persistence.enabled=true",
    "adaptor.repicas=2",
    "adaptor=x",
    "adaptor.image.tag=a b",
    "adaptor.image.tag=1",
    "adaptor.logLevel=loud",
    "adaptor.runAsUser=0",
    "adaptor.nodeSelector.a=1",
    "audit.persistence.enabled=yes",
    "audit.persistence.size=1Gi",
    "audit.persistence.existingClaim=mine",
    "audit.retention.size=1",
    "imagePullSecrets={a}",
    "imagePullSecrets[1].name=two",
    "imagePullSecrets[0].name=,clusterDomain=a",
    "networkPolicy.apiServerPorts={0}",
    "clusterDomain=a..b",
    "clusterName=",
    "audit.archive.url=postgresql://u:p@h/d",
    "audit.archive.existingSecret=A",
    "audit.archive.existingSecret=a,audit.archive.key=",
    "audit.archive.existingSecret=a,audit.archive.retention.age=1y",
    "audit.archive.ca.existingSecret=a",
    "audit.archive.existingSecret=a,audit.archive.ca.existingSecret=a,"
    "audit.archive.ca.existingConfigMap=a",
    "networkPolicy.archivePorts={postgresql}",
    "audit.readers={auditors}",
    "audit.readers[0].kind=Group",
    "audit.readers[0].kind=Team,audit.readers[0].name=a",
    "audit.readers[0].kind=Group,audit.readers[0].name=a,audit.readers[0].namespace=b",
    "nothing.of=this",
]


@pytest.mark.parametrize("assignments", REFUSED)
def test_what_the_chart_refuses_we_refuse(pair: Pair, assignments: str) -> None:
    assert isinstance(pair.helms(f"--set={assignments}"), str)
    assert isinstance(pair.ours(Sources(assignments=[assignments])), str)


@pytest.mark.parametrize(
    ("assignments", "message"),
    [
        ("adaptor.replicas=two", "adaptor.replicas: expected a whole number, not 'two'"),
        ("adaptor.replicas=-1", "adaptor.replicas: -1 is less than 0"),
        ("adaptor.repicas=2", "adaptor.repicas: there is no such value; did you mean replicas?"),
        ("adaptor=x", "adaptor: expected a map, not 'x'"),
        (
            "adaptor.orphans=x",
            "adaptor.orphans: expected one of 'delete', 'clear', 'keep', not 'x'",
        ),
        ("imagePullSecrets[0].nam=a", "imagePullSecrets[0]: name is missing"),
        ("audit.readers[0].name=a", "audit.readers[0]: kind is missing"),
    ],
)
def test_the_complaint_names_the_value_and_what_it_should_be(
    assignments: str, message: str
) -> None:
    tree = coalesced(given(Sources(assignments=[assignments])), packed.defaults())
    with pytest.raises(Fatal) as refused:
        render(tree, namespace="linkerd-smi")
    assert str(refused.value) == f"values: {message}"
    assert refused.value.code == 2


@hypothesis.settings(max_examples=30)
@hypothesis.given(tree=trees(packed.schema()))
def test_any_values_make_the_same_objects_or_none(pair: Pair, tree: Tree) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
        file.write(json.dumps(tree, ensure_ascii=False))
        file.flush()
        ours = pair.ours(Sources(files=[file.name]))
        helms = pair.helms(f"--values={file.name}")
    if isinstance(ours, str) or isinstance(helms, str):
        assert isinstance(ours, str), helms
        assert isinstance(helms, str), ours
    else:
        assert ours == helms


def test_the_order_lets_kubectl_apply_all_in_one_go() -> None:
    enabled = "podMonitor.enabled=true,networkPolicy.enabled=true,audit.persistence.enabled=true"
    tree = coalesced(given(Sources(assignments=[enabled])), packed.defaults())
    made = render(tree, namespace="linkerd-smi")
    kinds = [one["kind"] for one in made]
    assert kinds.index("CustomResourceDefinition") == 0
    assert kinds.index("ServiceAccount") < kinds.index("Deployment")
    assert kinds.index("PersistentVolumeClaim") < kinds.index("Deployment")
    assert made == render(tree, namespace="linkerd-smi")


def test_what_is_printed_is_read_as_it_was_meant() -> None:
    enabled = "podMonitor.enabled=true,networkPolicy.enabled=true,grafanaDashboard.enabled=true"
    misread = (
        "adaptor.podLabels.a=1e3,adaptor.podLabels.b=y,adaptor.podLabels.c=0x1,clusterDomain=1"
    )
    sources = Sources(assignments=[enabled], texts=[misread])
    made = render(coalesced(given(sources), packed.defaults()), namespace="1e3")
    printed = goyaml.dump(made)
    assert goyaml.load_all(printed.encode()) == made
    assert list(yaml.safe_load_all(printed)) == made


def test_we_know_every_keyword_of_the_charts_schema() -> None:
    assert set(_keywords(packed.schema())) <= KEYWORDS | {"$schema", "title", "description"}


def _keywords(schema: Tree) -> Iterator[str]:
    yield from schema
    for inner in schema.get("properties", {}).values():
        yield from _keywords(inner)
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            yield from _keywords(schema[name])


def test_a_patterns_end_is_the_texts_end() -> None:
    assert list(faults("a\n", {"pattern": "^a$"}))
    assert not list(faults("a", {"pattern": "^a$"}))


def test_the_oldest_kubernetes_is_the_charts() -> None:
    chart = goyaml.load((CHART / "Chart.yaml").read_bytes())
    assert isinstance(chart, dict)
    assert chart["kubeVersion"] == f">={OLDEST}.0-0"


@pytest.mark.parametrize(
    ("text", "version"),
    [("v1.36.3", (1, 36)), ("1.29.4-eks-a1b2c3", (1, 29)), ("v1.30.2+k3s1", (1, 30))],
)
def test_versions_are_read_with_whatever_a_vendor_appends(
    text: str, version: tuple[int, int]
) -> None:
    assert parsed(text) == Version(*version)


@pytest.mark.parametrize("text", ["", "latest", "1", "v1.x", "1.21.9"])
def test_no_version_and_too_old_a_version_are_refused(text: str) -> None:
    with pytest.raises(Fatal):
        parsed(text)
