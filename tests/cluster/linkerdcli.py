"""Linkerd's own command line, with ours on its PATH."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.cluster import binaries

_SOURCE = "github.com/linkerd/linkerd2"


class LinkerdCli:
    """Runs `linkerd`, of the Linkerd that the other tests run."""

    def __init__(self) -> None:
        self._program = binaries.path_of(binaries.LINKERD_CLI)
        source = binaries.source_of("linkerdcli", _SOURCE)
        # Built by hand it has no charts within, but reads them below the working directory.
        self._charts_root = source.parents[_SOURCE.count("/")]

    def run(
        self, *arguments: str, kubeconfig: Path, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """`linkerd` with these arguments; it finds `linkerd-smi` beside this Python."""
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        return subprocess.run(
            [str(self._program), *arguments, f"--kubeconfig={kubeconfig}"],
            check=False,
            capture_output=True,
            text=True,
            timeout=100.0,
            cwd=self._charts_root,
            env={**os.environ, "PATH": path, **(environment or {})},
        )
