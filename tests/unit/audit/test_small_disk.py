"""A disk that is full or read-only: a real file system, in a mount namespace of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from reactor.audit.schema import HEAD


def _run(scenario: str, directory: Path) -> dict[str, Any]:
    namespace = ["unshare", "--user", "--map-root-user", "--mount"]
    command = [sys.executable, "-m", "tests.unit.audit.small_disk", scenario, str(directory)]
    done = subprocess.run([*namespace, *command], stdout=subprocess.PIPE, check=True, timeout=60)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_full_disk_stops_nothing_and_the_gap_row_tells_the_truth(tmp_path: Path) -> None:
    found = _run("full", tmp_path)
    assert "is full; make room on it" in found["reason"]
    assert found["seconds"] < 10
    assert found["grown"] < 32 * 1024
    assert found["lost"] > 15_000
    assert found["kept"] + found["lost"] == found["appended"]
    assert sum(gap["rows"] for gap in found["gaps"]) == found["lost"]
    assert all(gap["first"] < gap["last"] for gap in found["gaps"])
    assert "is full" in found["gaps"][0]["reason"]
    assert found["integrity"] == [["ok"]]
    assert found["problem"] is None


def test_a_disk_that_is_full_at_the_start_is_waited_for_while_serving(tmp_path: Path) -> None:
    found = _run("fresh", tmp_path)
    assert "is full; make room on it" in found["reason"]
    assert found["durable"]


def test_a_read_only_disk_is_named_with_what_to_do(tmp_path: Path) -> None:
    found = _run("readonly", tmp_path)
    assert "Read-only file system" in found["reason"] or "is read-only" in found["reason"]
    assert "-audit-url" in found["reason"]


def test_a_log_of_the_first_release_is_migrated_once_there_is_room(tmp_path: Path) -> None:
    found = _run("older", tmp_path)
    assert "is full; make room on it" in found["reason"]
    assert found["schema"] == [[HEAD]]
    assert found["problem"] is None


def test_a_log_is_migrated_where_nothing_but_its_directory_can_be_written() -> None:
    assert _run("bare", Path("/mnt")) == {"reason": None, "problem": None}
