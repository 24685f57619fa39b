"""Where the built programs come from."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster import binaries
from tests.cluster.crds import REPOSITORY


def a_program(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/sh\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_ready_programs_are_taken_before_built_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    built = a_program(binaries.cache_of("kubernetes"), "etcd")
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    assert binaries.path_of(binaries.ETCD) == built
    ready = a_program(tmp_path / "assets", "etcd")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path / "assets"))
    assert binaries.path_of(binaries.ETCD) == ready


def test_a_change_of_a_tools_modules_or_code_is_another_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "tool"
    module.mkdir()
    (module / "go.mod").write_text("module tool\n", encoding="utf-8")
    (module / "go.sum").write_text("", encoding="utf-8")
    monkeypatch.setattr(binaries, "TOOLS", tmp_path)
    before = binaries.cache_of("tool")
    assert binaries.cache_of("tool") == before
    (module / "go.sum").write_text("a line\n", encoding="utf-8")
    changed = binaries.cache_of("tool")
    assert changed != before
    (module / "main.go").write_text("package main\n", encoding="utf-8")
    assert binaries.cache_of("tool") not in (before, changed)


def test_without_go_and_without_a_cache_the_message_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    with pytest.raises(binaries.Unavailable, match=r"install Go .* KUBEBUILDER_ASSETS"):
        binaries.path_of(binaries.ETCD)


@pytest.mark.parametrize(("ci", "outcome"), [("", "1 skipped"), ("true", "1 error")])
def test_without_programs_cluster_tests_are_skipped_and_fail_in_ci(
    tmp_path: Path, ci: str, outcome: str
) -> None:
    test = tmp_path / "test_one.py"
    test.write_text("def test_one(control_plane): ...\n", encoding="utf-8")
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), "PATH": str(tmp_path)}
    environment |= {"CI": ci, "PYTHONPATH": str(REPOSITORY), "PYTEST_ADDOPTS": ""}
    environment.pop("KUBEBUILDER_ASSETS", None)
    command = [sys.executable, "-m", "pytest", "-rs", "-p", "tests.cluster.fixtures", str(test)]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert "NO CLUSTER TESTS: no Go toolchain" in done.stdout
    assert outcome in done.stdout
