"""What a release is made from: a clean copy of the sources, and the time that its files bear."""

from __future__ import annotations

import os
import shutil
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_SHIPPED = ("reactor", "migrations", "pyproject.toml", "README.md", "LICENSE")


def copy_to(folder: Path) -> None:
    """Lays the sources out in ``folder``, with modes that don't depend on who checked them out.

    A copy is built: setuptools writes build/ beside the sources, and would ship what it finds
    there of files that are long gone. Links are followed: reactor/manifests is one.
    """
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    for name in _SHIPPED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        else:
            shutil.copyfile(ROOT / name, folder / name)
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def epoch() -> int:
    """Seconds since 1970: SOURCE_DATE_EPOCH, or else the time of the last commit."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given:
        return int(given)
    command = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def pythons() -> tuple[str, ...]:
    """The versions of Python that the project says it runs on, such as 3.11."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    prefix = "Programming Language :: Python :: 3."
    named = [line for line in project["classifiers"] if line.startswith(prefix)]
    return tuple(line.rpartition(" ")[2] for line in named)
