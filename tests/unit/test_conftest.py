"""What tests/conftest.py promises of every test, tried on a small suite."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SUITE = """
import asyncio
import pytest
import pytest_asyncio
import uvloop

async def test_leaks():
    asyncio.get_running_loop().create_task(asyncio.sleep(99), name="leaky")

async def test_awaits():
    await asyncio.get_running_loop().create_task(asyncio.sleep(0))

@pytest_asyncio.fixture
async def server():
    task = asyncio.get_running_loop().create_task(asyncio.sleep(99))
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

async def test_serves(server):
    pass

async def test_loop():
    assert isinstance(asyncio.get_running_loop(), uvloop.Loop)

@pytest.mark.soak
def test_long():
    pass

@pytest.mark.bench
def test_measure():
    pass
"""


def run(directory: Path, *argv: str) -> str:
    """What pytest prints about the suite under our conftest and our options."""
    folder = directory / "suite"
    folder.mkdir()
    (folder / "conftest.py").write_text("from tests.conftest import *\n")
    (directory / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    (folder / "test_suite.py").write_text(SUITE)
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider"),
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


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What it prints when nothing is asked for."""
    return run(tmp_path_factory.mktemp("suite"))


def test_a_test_that_leaves_a_task_behind_fails(shown: str) -> None:
    assert "leaked tasks: <Task pending name='leaky'" in shown
    assert "ERROR suite/test_suite.py::test_leaks" in shown
    assert "4 passed, 2 deselected, 1 error" in shown


def test_a_task_that_its_fixture_ends_is_no_leak(shown: str) -> None:
    assert "ERROR suite/test_suite.py::test_serves" not in shown
    assert "test_suite.py::test_serves PASSED" in shown


def test_tests_run_on_uvloop(shown: str) -> None:
    assert "test_suite.py::test_loop PASSED" in shown


def test_long_runs_wait_until_they_are_asked_for(shown: str, tmp_path: Path) -> None:
    assert "test_long" not in shown
    assert "test_measure" not in shown
    assert "1 passed, 5 deselected" in run(tmp_path, "-m", "soak")
