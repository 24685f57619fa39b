"""What tests/conftest.py promises of every test, tried on small suites."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run(directory: Path, suite: str, *argv: str) -> str:
    """What pytest prints about ``suite`` under our conftest and our options."""
    folder = directory / "suite"
    folder.mkdir()
    (folder / "conftest.py").write_text("from tests.conftest import *\n")
    (directory / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    (folder / "test_suite.py").write_text(suite)
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *("--import-mode=importlib", *argv, str(folder)),
        ],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return ended.stdout + ended.stderr


def test_a_test_that_leaves_a_task_behind_fails(tmp_path: Path) -> None:
    shown = run(
        tmp_path,
        "import asyncio\n"
        "async def test_leaks():\n"
        "    asyncio.get_running_loop().create_task(asyncio.sleep(99), name='leaky')\n"
        "async def test_awaits():\n"
        "    await asyncio.get_running_loop().create_task(asyncio.sleep(0))\n",
    )
    assert "leaked tasks: <Task pending name='leaky'" in shown
    assert "2 passed, 1 error" in shown


def test_a_task_that_its_fixture_ends_is_no_leak(tmp_path: Path) -> None:
    shown = run(
        tmp_path,
        "import asyncio, pytest_asyncio\n"
        "@pytest_asyncio.fixture\n"
        "async def server():\n"
        "    task = asyncio.get_running_loop().create_task(asyncio.sleep(99))\n"
        "    yield\n"
        "    task.cancel()\n"
        "    await asyncio.gather(task, return_exceptions=True)\n"
        "async def test_serves(server):\n"
        "    pass\n",
    )
    assert "1 passed" in shown
    assert "error" not in shown


def test_long_runs_wait_until_they_are_asked_for(tmp_path: Path) -> None:
    suite = (
        "import pytest\n"
        "@pytest.mark.soak\n"
        "def test_long(): pass\n"
        "@pytest.mark.bench\n"
        "def test_measure(): pass\n"
        "def test_short(): pass\n"
    )
    assert "1 passed, 2 deselected" in run(tmp_path, suite)
    (tmp_path / "soak").mkdir()
    assert "1 passed, 2 deselected" in run(tmp_path / "soak", suite, "-m", "soak")


def test_tests_run_on_uvloop(tmp_path: Path) -> None:
    shown = run(
        tmp_path,
        "import asyncio, uvloop\n"
        "async def test_loop():\n"
        "    assert isinstance(asyncio.get_running_loop(), uvloop.Loop)\n",
    )
    assert "1 passed" in shown
