"""What the program brings along of config/: the chart's defaults, definitions and roles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from reactor.install import goyaml

Object = dict[str, Any]

MANIFESTS = Path(__file__).resolve().parent.parent / "manifests"
CHART = MANIFESTS / "chart" / "linkerd-smi"


def defaults() -> Object:
    """The chart's values, as a fresh tree."""
    return _document(CHART / "values.yaml")


def schema() -> Object:
    """What the chart's values must be like."""
    found: Object = msgspec.json.decode((CHART / "values.schema.json").read_bytes(), type=Object)
    return found


def definition() -> Object:
    """The CustomResourceDefinition of TrafficSplit, in its full form."""
    return _document(MANIFESTS / "crd" / "trafficsplit.yaml")


def roles() -> list[Object]:
    """The service account, its roles and bindings, for the namespace linkerd-smi."""
    found = [_document(path) for path in sorted((MANIFESTS / "rbac").glob("*.yaml"))]
    return [one for one in found if one["kind"] != "Namespace"]


def dashboard() -> str:
    """The dashboard for Grafana, in JSON."""
    return (CHART / "dashboards" / "smi-adaptor.json").read_text(encoding="utf-8").strip()


def _document(path: Path) -> Object:
    found = goyaml.load(path.read_bytes())
    assert isinstance(found, dict), path
    return found
