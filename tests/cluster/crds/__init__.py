"""The CustomResourceDefinitions that tests apply: ours, Linkerd's, and a permissive one.

No tests here, and no copy of Linkerd's: its chart is rendered into the cache of built programs.
"""

from __future__ import annotations

import copy
import shutil
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from tests.cluster import binaries

REPOSITORY = Path(__file__).resolve().parents[3]
TRAFFIC_SPLIT = REPOSITORY / "config" / "crd" / "trafficsplit.yaml"
PERMISSIVE_TRAFFIC_SPLIT = Path(__file__).with_name("permissive-trafficsplit.yaml")
_LINKERD = "github.com/linkerd/linkerd2"
_KUBERNETES = "1.36.0"

Document = dict[str, Any]


def load(path: Path) -> list[Document]:
    """The YAML documents of a file, empty ones left out; the caller's own to change."""
    return copy.deepcopy(_parsed(path, path.stat().st_mtime_ns))


@lru_cache
def _parsed(path: Path, changed: int) -> list[Document]:
    # Reading Linkerd's takes 0.15 s, and the contract tests prepare a sandbox for each test.
    with path.open(encoding="utf-8") as file:
        return [document for document in yaml.safe_load_all(file) if document]


def traffic_split_crd() -> Document:
    """The definition that this project ships."""
    return load(TRAFFIC_SPLIT)[0]


def permissive_traffic_split_crd() -> Document:
    """The same names and versions with no schema: lets any spec reach the adaptor."""
    return load(PERMISSIVE_TRAFFIC_SPLIT)[0]


def service_profile_crd() -> Document:
    """Linkerd's own definition, from the chart of the Linkerd that the tests run."""
    for document in load(_linkerd_crds()):
        if document["metadata"]["name"] == "serviceprofiles.linkerd.io":
            return document
    raise LookupError("Linkerd's CRD chart has no ServiceProfile")


def linkerd_crds() -> list[Document]:
    """Every definition of Linkerd's CRD chart: its destination controller watches several."""
    return load(_linkerd_crds())


def _linkerd_crds() -> Path:
    folder = binaries.cache_of("linkerd")
    target = folder / "linkerd-crds.yaml"
    if target.exists():
        return target
    helm = binaries.path_of(binaries.HELM)
    with binaries.locked(folder), tempfile.TemporaryDirectory(dir=folder) as scratch:
        rendered = Path(scratch) / target.name
        rendered.write_text(_render(helm, Path(scratch)), encoding="utf-8")
        rendered.replace(target)
    return target


def _render(helm: Path, scratch: Path) -> str:
    charts = binaries.source_of("linkerd", _LINKERD) / "charts"
    chart = scratch / "linkerd-crds"
    # The module cache is read-only, and so would be the copy: only contents are taken.
    shutil.copytree(charts / "linkerd-crds", chart, copy_function=shutil.copyfile)
    chart.chmod(0o755)
    shutil.copytree(
        charts / "partials", chart / "charts" / "partials", copy_function=shutil.copyfile
    )
    for folder in [path for path in chart.rglob("*") if path.is_dir()]:
        folder.chmod(0o755)
    command = [str(helm), "template", "linkerd-crds", str(chart)]
    command += ["--namespace", "linkerd", "--kube-version", _KUBERNETES]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise binaries.Unavailable(f"helm could not render Linkerd's CRDs: {done.stderr.strip()}")
    return done.stdout
