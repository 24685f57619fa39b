"""The sdist, the wheel that comes out of it, and the requirements that pin both and all else."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from reactor import __version__
from release import archives, sources
from release.commands import run

REQUIREMENTS = f"linkerd-smi-{__version__}-requirements.txt"


@dataclass(frozen=True)
class Built:
    """The files in the folder of the release."""

    sdist: Path
    wheel: Path
    requirements: Path


def build(out: Path, *, epoch: int) -> Built:
    """Builds from a copy of the sources: the wheel from the sdist, as others will."""
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch, "source")
        copy.mkdir()
        sources.copy_to(copy)
        run(
            *(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, copy),
            environ={**os.environ, "SOURCE_DATE_EPOCH": str(epoch)},
        )
    sdist = out / f"linkerd_smi_reactor-{__version__}.tar.gz"
    wheel = out / f"linkerd_smi_reactor-{__version__}-py3-none-any.whl"
    archives.settle(sdist, epoch=epoch)
    requirements = out / REQUIREMENTS
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    requirements.write_text(
        f"# What release {__version__} runs with; the wheel itself lies beside this file.\n"
        f"linkerd-smi-reactor=={__version__} --hash=sha256:{digest}\n"
        + (sources.ROOT / "requirements" / "runtime.txt").read_text()
    )
    return Built(sdist, wheel, requirements)
