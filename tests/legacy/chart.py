"""The Go extension's chart, rendered by the real helm: what lies in clusters before an upgrade."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import yaml

from tests.cluster.api import Object

CHART = Path(__file__).with_name("chart")
NAMESPACE = "linkerd-smi"
_KUBERNETES = "1.36.0"


def rendered(
    helm: Path, arguments: Sequence[str] = (), *, namespace: str = NAMESPACE
) -> list[Object]:
    """Its objects, hooks included, for `helm install` with these further arguments."""
    command = [str(helm), "template", "linkerd-smi", str(CHART), "--namespace", namespace]
    done = subprocess.run(
        [*command, "--kube-version", _KUBERNETES, *arguments],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise RuntimeError(f"helm could not render the old chart: {done.stderr.strip()}")
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def installed_by_cli(helm: Path, *, namespace: str = NAMESPACE) -> list[Object]:
    """What `linkerd smi install` of the Go program printed: a Namespace, and no hooks."""
    labels = {"linkerd.io/extension": "smi"}
    metadata = {"name": namespace, "labels": labels}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata},
        *(one for one in rendered(helm, namespace=namespace) if not is_hook(one)),
    ]


def traffic_split_crd(helm: Path) -> Object:
    """Its definition of TrafficSplit: two versions, schemas that differ, weights unchecked."""
    (found,) = [one for one in rendered(helm) if one["kind"] == "CustomResourceDefinition"]
    return found


def values() -> Object:
    """Its values.yaml: what `helm upgrade --reuse-values` goes on with."""
    loaded: Object = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    return loaded


def is_hook(document: Object) -> bool:
    """Whether helm makes it for a moment only, and not as part of the release."""
    return "helm.sh/hook" in (document["metadata"].get("annotations") or {})
