"""The chart, rendered by the real helm."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import yaml

from tests.cluster.api import Object, Objects

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "config" / "chart" / "linkerd-smi"
NAMESPACE = "linkerd-smi"
KUBERNETES = "1.36.0"


class RefusedError(Exception):
    """What helm printed when it would not render."""


def render(helm: Path, *arguments: str, hooks: bool = False) -> Objects:
    """The objects for these further arguments of `helm template`."""
    command = [str(helm), "template", "smi", str(CHART), "--namespace", NAMESPACE]
    command += ["--kube-version", KUBERNETES, *([] if hooks else ["--no-hooks"]), *arguments]
    return [one for one in yaml.safe_load_all(_run(command)) if one]


def kustomized(kubectl: Path, folder: Path) -> Objects:
    """The objects of a kustomization."""
    return list(yaml.safe_load_all(_run([str(kubectl), "kustomize", str(folder)])))


def one(objects: Objects, kind: str, name: str = "smi-adaptor") -> Object:
    """The object of that kind and name."""
    (found,) = (o for o in objects if (o["kind"], o["metadata"]["name"]) == (kind, name))
    return found


def container(objects: Objects) -> Object:
    """The adaptor's container."""
    (found,) = one(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    assert isinstance(found, dict)
    return found


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise RefusedError(done.stderr)
    return done.stdout
