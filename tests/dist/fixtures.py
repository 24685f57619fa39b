"""One release per session, and the same with the dependencies' wheels beside it."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from release import single

ROOT = Path(__file__).resolve().parents[2]
EPOCH = 1_600_000_000


@pytest.fixture(scope="session")
def this_platform() -> str:
    """The release's name for the machine of the test."""
    system = "macos" if sys.platform == "darwin" else sys.platform
    name = f"{system}-{platform.machine()}"
    assert name in {known.name for known in single.PLATFORMS}
    return name


@pytest.fixture(scope="session")
def release(helm: Path, this_platform: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make dist` makes, for this platform alone."""
    out = tmp_path_factory.mktemp("release") / "dist"
    command = [sys.executable, "-m", "release", str(out)]
    command += ["--helm", str(helm), "--platform", this_platform]
    environ = {**os.environ, "SOURCE_DATE_EPOCH": str(EPOCH)}
    done = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="session")
def wheelhouse(release: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The release's folder with the wheels of all that it needs: no network from here on.

    pip is one of them, as pipx brings its own up to date first.
    """
    folder = tmp_path_factory.mktemp("wheelhouse")
    for name in ("runtime.txt", "pip.txt"):
        requirements = ROOT / "requirements" / name
        if name == "pip.txt":
            requirements = folder / name
            requirements.write_text(_locked("pip"))
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--require-hashes", "--only-binary", ":all:", "--dest", str(folder)]
        subprocess.run([*command, "--requirement", str(requirements)], check=True)
    (folder / "pip.txt").unlink()
    link_files(release, folder)
    return folder


def link_files(origin: Path, target: Path) -> None:
    """Every file of ``origin`` in ``target`` as well, without the bytes."""
    for path in origin.iterdir():
        os.link(path, target / path.name)


def _locked(name: str) -> str:
    lines = (ROOT / "requirements" / "dev.txt").read_text().splitlines(keepends=True)
    start = next(number for number, line in enumerate(lines) if line.startswith(f"{name}=="))
    end = next(number for number in range(start + 1, len(lines)) if lines[number][0] != " ")
    return "".join(lines[start:end])
