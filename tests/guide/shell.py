"""A terminal like the reader's: the guide's lines are run as they stand, by a shell."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.api import Object
from tests.cluster.crds import REPOSITORY

SAMPLE = REPOSITORY / "config" / "samples" / "2-application.yaml"
# Linkerd's own CLI runs its extensions so. Its injector works on the pods here, and the sample
# comes from this project, as no test fetches anything.
_LINKERD = f"""#!/bin/sh
case "$1" in
    smi) shift; exec linkerd-smi "$@" ;;
    inject) exec cat '{SAMPLE}' ;;
    *) echo "no such command here: linkerd $*" >&2; exit 2 ;;
esac
"""


@dataclass(frozen=True)
class Output:
    """What a line printed, and how it ended."""

    code: int
    stdout: str
    stderr: str


class Shell:
    """Runs lines in a home of its own, with the programs of the tests first on PATH."""

    def __init__(self, home: Path, *, kubeconfig: Path, kubectl: Path, helm: Path) -> None:
        programs = home / "bin"
        programs.mkdir(parents=True)
        ours = Path(sys.executable).with_name("linkerd-smi")
        for name, target in (("kubectl", kubectl), ("helm", helm), ("linkerd-smi", ours)):
            (programs / name).symlink_to(target)
        linkerd = programs / "linkerd"
        linkerd.write_text(_LINKERD, encoding="utf-8")
        linkerd.chmod(0o755)
        self._environment = {
            "HOME": str(home),
            "KUBECONFIG": str(kubeconfig),
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "LANG": "C.UTF-8",
        }

    def run(self, line: str, *, stdin: str = "", timeout: float = 60.0) -> str:
        """What the line prints on stdout; AssertionError with all of it unless it ends with 0."""
        done = self.attempt(line, stdin=stdin, timeout=timeout)
        assert done.code == 0, f"$ {line}\n{done.stdout}{done.stderr}(exit code {done.code})"
        return done.stdout

    def apply(self, documents: Sequence[Object]) -> str:
        """`kubectl apply` of objects that no file holds."""
        listed = {"apiVersion": "v1", "kind": "List", "items": list(documents)}
        return self.run("kubectl apply -f -", stdin=json.dumps(listed))

    def objects(self, line: str) -> list[Object]:
        """The items that `kubectl get ... -o json` gives."""
        found: list[Object] = json.loads(self.run(f"{line} -o json"))["items"]
        return found

    def attempt(self, line: str, *, stdin: str = "", timeout: float = 60.0) -> Output:
        """The same, however it ends; a pipe's code is that of the part that failed."""
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", line],
            env=self._environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )
        return Output(done.returncode, done.stdout, done.stderr)
