"""The text of config/crd, and the same from the chart."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from reactor.model.trafficsplit import VERSIONS
from tests.cluster.api import Object
from tests.cluster.crds import REPOSITORY, TRAFFIC_SPLIT, traffic_split_crd

CHART = REPOSITORY / "config" / "chart" / "linkerd-smi"
SHAPE = {
    *("type", "properties", "items", "required", "description"),
    "x-kubernetes-preserve-unknown-fields",
}
"""What says how a split is laid out; any other key refuses something."""


def rendered(helm: Path, kubernetes: str) -> Object:
    """The chart's definition for a version of Kubernetes."""
    command = [str(helm), "template", "linkerd-smi", str(CHART), f"--kube-version={kubernetes}"]
    done = subprocess.run(
        [*command, "--show-only=templates/trafficsplit-crd.yaml"],
        check=True,
        capture_output=True,
        text=True,
    )
    found: Object = yaml.safe_load(done.stdout)
    return found


def schemas(found: Object) -> list[Object]:
    """The schema of each version."""
    return [version["schema"]["openAPIV3Schema"] for version in found["spec"]["versions"]]


def keys(schema: Mapping[str, object]) -> Iterator[str]:
    """Every key of a schema that is no name of a property."""
    for key, value in schema.items():
        yield key
        if key == "properties":
            assert isinstance(value, dict)
            for inner in value.values():
                yield from keys(inner)
        elif isinstance(value, dict):
            yield from keys(value)


def test_all_versions_share_one_schema_and_the_oldest_is_stored() -> None:
    crd = traffic_split_crd()
    first, *others = schemas(crd)
    assert others == [first] * 3
    found = {one["name"]: (one["served"], one["storage"]) for one in crd["spec"]["versions"]}
    assert found == {name: (True, name == "v1alpha1") for name in sorted(VERSIONS)}
    columns = [one["additionalPrinterColumns"] for one in crd["spec"]["versions"]]
    assert {(column["name"], column["jsonPath"]) for (column,) in columns} == {
        ("Service", ".spec.service")
    }


def test_helm_never_removes_it_and_no_field_is_one_that_servers_drop() -> None:
    crd = traffic_split_crd()
    assert crd["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert "preserveUnknownFields" not in crd["spec"]
    assert "status" not in crd
    # As before, two managers own whole lists: keys would refuse a backend that is named twice.
    assert "x-kubernetes-list" not in json.dumps(crd)


@pytest.mark.parametrize("kubernetes", ["1.30.0", "1.36.3", "1.30.0-gke.5", "2.0.0"])
def test_the_chart_renders_the_same(helm: Path, kubernetes: str) -> None:
    assert rendered(helm, kubernetes) == traffic_split_crd()


@pytest.mark.parametrize("kubernetes", ["1.29.15", "1.25.0-eks-1"])
def test_where_updates_are_not_forgiven_nothing_is_refused_that_once_went_in(
    helm: Path, kubernetes: str
) -> None:
    found = rendered(helm, kubernetes)
    (schema,) = {json.dumps(one): one for one in schemas(found)}.values()
    assert set(keys(schema)) == SHAPE
    found["spec"].pop("versions")
    whole = traffic_split_crd()
    whole["spec"].pop("versions")
    assert found == whole


def test_its_head_names_each_key_that_refuses_something() -> None:
    (schema, *_) = schemas(traffic_split_crd())
    head = TRAFFIC_SPLIT.read_text(encoding="utf-8").partition("\napiVersion:")[0]
    refusing = set(keys(schema)) - SHAPE - {"enum"}  # which stands inside a `not`
    assert refusing == {
        *("minimum", "pattern", "not", "maxItems", "maxProperties", "minLength", "maxLength")
    }
    assert all(key in head for key in refusing)
