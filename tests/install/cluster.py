"""The real API server and kubectl for install and uninstall, and a Linkerd core without pods."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Object = dict[str, Any]

LINKERD = "linkerd"


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str


class Cluster:
    """Runs linkerd-smi and kubectl as the administrator of one API server."""

    def __init__(self, *, kubectl: Path, kubeconfig: Path, home: Path) -> None:
        self._kubectl = kubectl
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "KUBECONFIG": str(kubeconfig),
        }

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """linkerd-smi, running."""
        return subprocess.Popen(
            [sys.executable, "-m", "reactor.cli.extension", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self._environment,
        )

    def smi(self, *arguments: str) -> Done:
        """linkerd-smi, to its end."""
        with self.start(*arguments) as process:
            out, err = process.communicate(timeout=60)
            return Done(process.returncode, out, err)

    def kubectl(self, *arguments: str, stdin: str = "", code: int = 0) -> str:
        """kubectl's output, both streams; another exit code fails the test."""
        done = subprocess.run(
            [self._kubectl, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=self._environment,
        )
        told = done.stdout + done.stderr
        assert done.returncode == code, f"kubectl {' '.join(arguments)}: {told}"
        return told

    def apply(self, *objects: Object) -> None:
        """These objects are there."""
        document = {"apiVersion": "v1", "kind": "List", "items": objects}
        self.kubectl("apply", "-f", "-", stdin=json.dumps(document))

    def get(self, *arguments: str) -> list[Object]:
        """What `kubectl get` finds; names of kinds, separated by commas, come first."""
        found: Object = json.loads(self.kubectl("get", *arguments, "-o", "json"))
        items: list[Object] = found.get("items", [found])
        return items

    def make_ready(self, parts: Sequence[str]) -> None:
        """Says of the core's parts what their pods would say."""
        for part in parts:
            status = {"status": {"replicas": 1, "readyReplicas": 1, "availableReplicas": 1}}
            self.kubectl(
                *("patch", "deployment", f"linkerd-{part}", "-n", LINKERD),
                *("--subresource=status", "--type=merge", "-p", json.dumps(status)),
            )
