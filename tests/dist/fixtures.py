"""One release per session, and the same with the dependencies' wheels beside it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from release import single
from release.launch import platform_here

ROOT = Path(__file__).resolve().parents[2]
EPOCH = 1_600_000_000


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Time for the release: whoever comes first waits for it, and for what it downloads."""
    for item in items:
        if "release" in getattr(item, "fixturenames", ()) and not item.get_closest_marker(
            "timeout"
        ):
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def this_platform() -> str:
    """The release's name for the machine of the test."""
    name = platform_here()
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
    requirements = folder / "requirements.txt"
    runtime = (ROOT / "requirements" / "runtime.txt").read_text()
    requirements.write_text(runtime + _locked("pip"))
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--require-hashes", "--only-binary", ":all:", "--dest", str(folder)]
    subprocess.run([*command, "--requirement", str(requirements)], check=True)
    requirements.unlink()
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
