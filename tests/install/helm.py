"""The real helm, asked what it makes of values."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

Tree = dict[str, Any]


class Helm:
    """Renders charts with an empty HOME, away from the user's repositories and plugins."""

    def __init__(self, *, program: Path, home: Path) -> None:
        self._program = program
        self._home = home

    def template(self, chart: Path, *arguments: str, stdin: str = "") -> tuple[str, str]:
        """What it prints; the second text is its complaint, empty when there is none."""
        done = subprocess.run(
            [self._program, "template", *arguments, "linkerd-smi", chart],
            cwd=self._home,
            env={"PATH": os.environ["PATH"], "HOME": str(self._home)},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.stdout, done.stderr.strip() if done.returncode else ""


class Mirror:
    """A chart that shows the values it was given."""

    def __init__(self, helm: Helm, folder: Path, defaults: Tree) -> None:
        self._helm = helm
        self._chart = folder
        (folder / "templates").mkdir(parents=True)
        (folder / "Chart.yaml").write_text("apiVersion: v2\nname: mirror\nversion: 0.1.0\n")
        (folder / "values.yaml").write_text(json.dumps(defaults))
        (folder / "templates" / "shown.yaml").write_text("{{ .Values | toJson }}\n")

    def shown(self, *arguments: str, stdin: str = "") -> Tree | None:
        """The values as a template sees them; None when helm refuses the arguments."""
        out, complaint = self._helm.template(self._chart, *arguments, stdin=stdin)
        if complaint:
            return None
        found: Tree = json.loads(out.splitlines()[-1])
        return found


def objects(text: str) -> list[Tree]:
    """The documents that a template printed."""
    return [document for document in yaml.safe_load_all(text) if document]


def flags(given: Mapping[str, Sequence[str]]) -> list[str]:
    """`--set=...` and the like, in the order given."""
    return [f"--{name}={value}" for name, values in given.items() for value in values]
