"""The first change that CONTRIBUTING.md proposes is one that works, and is still to be made."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests import docs

PAGE = docs.ROOT / "CONTRIBUTING.md"
SOURCE = Path("reactor", "model", "trafficsplit.py")
TESTS = Path("tests", "unit", "model", "test_trafficsplit.py")


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
    )


def test_the_first_change_to_make_fails_before_and_works_after(tmp_path: Path) -> None:
    for name in ("reactor", "tests"):
        shutil.copytree(
            docs.ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(docs.ROOT / "pyproject.toml", tmp_path)
    page = PAGE.read_text()
    test, change = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    where = re.search(r"below `(.+)`:\n", page)
    assert where is not None
    (make_split,) = re.findall(r"^printf .*$", page, re.MULTILINE)
    pytest_ = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    pytest_ += ["tests/unit/model", "-k", "percentage"]
    translate = [sys.executable, "-m", "reactor.cli.extension", "translate", "-f", "split.yaml"]

    file = tmp_path / TESTS
    file.write_text(f"{file.read_text()}\n\n{test}")
    assert run(pytest_, tmp_path).returncode == 1
    run(["sh", "-c", make_split], tmp_path)
    assert "is not a Kubernetes quantity" in run(translate, tmp_path).stderr

    file = tmp_path / SOURCE
    lines = file.read_text()
    assert lines.count(f"{where[1]}\n") == 1
    file.write_text(lines.replace(f"{where[1]}\n", f"{where[1]}\n{change}"))
    passed = run(pytest_, tmp_path)
    assert passed.returncode == 0, passed.stdout
    assert "write the number alone" in run(translate, tmp_path).stderr
