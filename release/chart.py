"""The chart's package and the index that makes the folder a chart repository, by helm."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from release import archives, sources
from release.commands import run

CHART = sources.ROOT / "config" / "chart" / "linkerd-smi"


def write(out: Path, *, helm: str, epoch: int) -> None:
    """Packages the chart; with the same bytes for the same chart."""
    run(helm, "package", "--destination", out, CHART)
    for path in out.glob("*.tgz"):
        archives.settle(path, epoch=epoch)
    run(helm, "repo", "index", out)
    index = out / "index.yaml"
    when = datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    index.write_text(
        re.sub(r"(?m)^( *(?:created|generated): ).*$", rf'\g<1>"{when}"', index.read_text())
    )
