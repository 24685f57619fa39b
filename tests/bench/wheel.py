"""The shipped wheel in a virtual environment of its own, with the locked requirements."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from release import sources


def install() -> Path:
    """Builds the wheel from this checkout, installs it, and returns the environment's folder.

    The requirements are installed once for each state of their lock file; the wheel every time.
    """
    lock_file = sources.ROOT / "requirements" / "runtime.txt"
    key = hashlib.sha256(lock_file.read_bytes() + sys.version.encode()).hexdigest()[:20]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "linkerd-smi-reactor" / f"bench-{key}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"bench-{key}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            _run(sys.executable, "-m", "venv", str(folder))
            _pip(folder, "--require-hashes", "-r", str(lock_file))
            (folder / "complete").touch()
        with tempfile.TemporaryDirectory() as scratch:
            _pip(folder, "--no-deps", "--force-reinstall", str(_build(Path(scratch))))
    return folder


def _build(scratch: Path) -> Path:
    copy = scratch / "source"
    copy.mkdir()
    sources.copy_to(copy)
    _run(
        sys.executable,
        *("-m", "build", "--wheel", "--no-isolation"),
        *("--outdir", str(scratch), str(copy)),
    )
    return next(scratch.glob("*.whl"))


def _pip(folder: Path, *arguments: str) -> None:
    _run(str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", *arguments)


def _run(*command: str) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}:\n{(done.stdout + done.stderr)[-3000:]}")
