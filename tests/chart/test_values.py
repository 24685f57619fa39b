"""values.yaml, its schema and the README speak of the same values."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from reactor.settings import FLAGS, Settings
from tests.chart import readme
from tests.chart.render import CHART, RefusedError, container, render

VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
# Whatever somebody gives there is Kubernetes' own.
_OPEN = {"labels", "annotations", "affinity", "nodeSelector", "podAnnotations", "podLabels"}


def _leaves(values: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, value in values.items():
        if isinstance(value, dict) and name not in _OPEN:
            yield from _leaves(value, (*path, name))
        else:
            yield (*path, name)


def test_the_readme_lists_every_value_with_its_default() -> None:
    page = readme.README.read_text()
    assert readme.with_values(page) == page, "run `make docs`"


def test_every_value_is_described() -> None:
    text = (CHART / "values.yaml").read_text()
    assert [path for path, _ in readme.described(text)] == list(_leaves(VALUES))


def test_the_schema_knows_every_value_and_no_other() -> None:
    def properties(schema: dict[str, Any], path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        for name, part in schema["properties"].items():
            if "properties" in part:
                assert part["additionalProperties"] is False, path
                yield from properties(part, (*path, name))
            elif part == {"type": ["object", "null"], "additionalProperties": _AMOUNT}:
                yield from ((*path, name, amount) for amount in ("cpu", "memory"))
            elif name != "global":  # helm's own, for charts within charts
                yield (*path, name)

    assert set(properties(SCHEMA, ())) == set(_leaves(VALUES))


_AMOUNT = SCHEMA["properties"]["adaptor"]["properties"]["resources"]["properties"]["limits"][
    "additionalProperties"
]


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ("adaptr.replicas=2", "additional properties 'adaptr' not allowed"),
        ("adaptor.image.repository=x", "'/adaptor/image': additional properties 'repository'"),
        ("adaptor.image.pullPolicy=Sometimes", "'/adaptor/image/pullPolicy': value must be one of"),
        ("adaptor.image.tag=a b", "'/adaptor/image/tag': 'a b' does not match"),
        ("adaptor.image.tag=7", "'/adaptor/image/tag': got number, want"),
        ("adaptor.replicas=two", "'/adaptor/replicas': got string, want"),
        ("adaptor.replicas=-1", "'/adaptor/replicas': minimum: got -1, want 0"),
        ("adaptor.runAsUser=0", "'/adaptor/runAsUser': minimum: got 0, want 1"),
        ("adaptor.logLevel=loud", "'/adaptor/logLevel': value must be one of 'debug', 'info'"),
        ("adaptor.logFormat=xml", "'/adaptor/logFormat': value must be one of 'plain', 'json'"),
        ("adaptor.orphans=eat", "'/adaptor/orphans': value must be one of 'delete', 'clear'"),
        ("adaptor.resources.limits.memory=much", "'/adaptor/resources/limits/memory': 'much'"),
        ("adaptor.tolerations=x", "'/adaptor/tolerations': got string, want"),
        ("adaptor.nodeSelector.fast=true", "'/adaptor/nodeSelector/fast': got boolean, want str"),
        ("audit.retention.age=month", "'/audit/retention/age': 'month' does not match"),
        ("audit.retention.size=1Gb/s", "'/audit/retention/size': '1Gb/s' does not match"),
        ("audit.persistence.enabled=maybe", "'/audit/persistence/enabled': got string, want"),
        ("audit.persistence.size=1GiB", "'/audit/persistence/size': '1GiB' does not match"),
        ("clusterDomain=Example_", "'/clusterDomain': 'Example_' does not match"),
        ("linkerdNamespace=a/b", "'/linkerdNamespace': 'a/b' does not match"),
        ("imagePullSecrets[0]=x", "'/imagePullSecrets/0': got string, want object"),
        ("imagePullSecrets[0].nom=x", "'/imagePullSecrets/0'"),
        ("podMonitor.interval=often", "'/podMonitor/interval': 'often' does not match"),
        ("networkPolicy.apiServerPorts[0]=0", "'/networkPolicy/apiServerPorts/0': minimum"),
        ("clusterName=eu 1", "'/clusterName': 'eu 1' does not match"),
        ("audit.archive.url=postgresql://u:p@h/d", "'/audit/archive': additional properties 'url'"),
        ("audit.archive.existingSecret=A", "'/audit/archive/existingSecret': 'A' does not match"),
        ("audit.archive.retention.age=1y", "'/audit/archive/retention/age': '1y' does not match"),
        ("audit.readers[0].kind=Team", "'/audit/readers/0/kind': value must be one of 'Group'"),
        ("audit.readers[0].kind=Group", "'/audit/readers/0': missing property 'name'"),
        ("networkPolicy.archivePorts[0]=x", "'/networkPolicy/archivePorts/0': got string"),
        ("namespaceMetadata.runAsUser=root", "'/namespaceMetadata/runAsUser': got string, want"),
    ],
)
def test_a_wrong_value_is_refused_by_name(helm: Path, given: str, named: str) -> None:
    with pytest.raises(RefusedError) as refused:
        render(helm, f"--set={given}")
    assert named in str(refused.value)


@pytest.mark.parametrize(
    ("value", "flag"),
    [
        ("adaptor.logLevel", "log-level"),
        ("adaptor.logFormat", "log-format"),
        ("adaptor.orphans", "orphans"),
    ],
)
def test_the_schema_allows_what_the_flag_allows(value: str, flag: str) -> None:
    part = SCHEMA
    for name in value.split("."):
        part = part["properties"][name]
    (found,) = (one for one in FLAGS.flags if one.name == flag)
    assert [choice for choice in part["enum"] if choice] == found.placeholder.split("|")


def test_the_defaults_of_the_chart_are_those_of_the_adaptor(helm: Path) -> None:
    in_pod = {"POD_NAMESPACE": "linkerd-smi", "POD_NAME": "one"}
    assert Settings.from_command_line(
        container(render(helm, "--set=audit.archive.existingSecret=archive"))["args"], in_pod
    ) == Settings.from_command_line([], in_pod)


@pytest.mark.parametrize(
    "given",
    [
        "audit.retention.size=512MiB",
        "audit.retention.size=1.5G",
        "audit.retention.size=500M",
        "audit.retention.size=1Gi",
        "audit.retention.age=1h30m",
        "audit.retention.age=2w",
        "clusterDomain=k8s.example.org",
        "clusterName=EU_1.a-b",
        "audit.archive.existingSecret=archive,audit.archive.retention.age=1h30m",
    ],
)
def test_what_the_schema_allows_the_adaptor_understands(helm: Path, given: str) -> None:
    Settings.from_command_line(container(render(helm, f"--set={given}"))["args"], {})
