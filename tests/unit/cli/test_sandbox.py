"""`linkerd-smi sandbox --once`, as a process."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

SPLIT = """
apiVersion: split.smi-spec.io/v1alpha2
kind: TrafficSplit
metadata: {{name: mine, namespace: shop}}
spec: {{service: web, backends: [{{service: web-v1, weight: {weight}}}]}}
"""


def once(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "reactor.cli.extension", "sandbox", "--once", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_guides_sample_ends_in_sync_and_shows_profile_log_and_rows() -> None:
    ended = once()
    assert (ended.returncode, ended.stderr) == (0, "")
    name = "backend-svc.trafficsplit-sample.svc.cluster.local"
    assert f"created serviceprofile/{name} for trafficsplit/backend-split" in ended.stdout
    assert f"  - authority: {name}\n    weight: '500'\n" in ended.stdout
    for kind in ("started", "observed", "translated", "synced"):
        assert f"   {kind}" in ended.stdout


def test_a_split_of_ones_own_needs_no_namespace_to_be_made_first(tmp_path: Path) -> None:
    file = tmp_path / "split.yaml"
    file.write_text(SPLIT.format(weight="1e3"))
    ended = once("-f", str(file), "--dir", str(tmp_path / "kept"))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "web-v1.shop.svc.cluster.local" in ended.stdout
    assert (tmp_path / "kept" / "audit.sqlite").exists()


def test_a_list_is_opened_as_kubectl_does(tmp_path: Path) -> None:
    file = tmp_path / "list.yaml"
    items = SPLIT.format(weight="1").strip().replace("\n", "\n  ")
    file.write_text(f"apiVersion: v1\nkind: List\nitems:\n- {items}\n")
    ended = once("-f", str(file))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "web-v1.shop.svc.cluster.local" in ended.stdout
    (line,) = (line for line in ended.stdout.splitlines() if "starting admin server" in line)
    assert "127.0.0.1:0" not in line


def test_an_invalid_split_ends_at_once_with_the_reason(tmp_path: Path) -> None:
    file = tmp_path / "split.yaml"
    file.write_text(SPLIT.format(weight="-1"))
    ended = once("-f", str(file))
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith("linkerd-smi: not in sync: service shop/web")
    assert "InvalidWeight: spec.backends[0].weight" in line


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("kind: Foo\napiVersion: x/v1\n", "Foo"),
        ("a: [", "split.yaml:2: not YAML: "),
        ("", "no manifest"),
        ("- 1", "kind"),
        ("apiVersion: v1\nkind: List\n", "List is refused"),
        ("apiVersion: v1\nkind: List\nitems: [7]\n", "no manifest"),
    ],
)
def test_a_file_that_can_not_be_applied_is_one_line(tmp_path: Path, text: str, word: str) -> None:
    file = tmp_path / "split.yaml"
    file.write_text(text)
    ended = once("-f", str(file))
    assert ended.returncode in (1, 2)
    (line,) = ended.stderr.splitlines()
    assert line.startswith("linkerd-smi: ")
    assert word in line


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("--port", "99999"), 2, "99999 is not in the range"),
        (("--port", "{taken}"), 1, "--port {taken}: can't listen there: "),
        (("--dir", "/dev/null/kept"), 1, "--dir /dev/null/kept: can't be made: "),
        (("--metrics-addr", "0.0.0.0:0"), 2, "--metrics-addr 0.0.0.0:0: write a loopback address"),
    ],
)
def test_a_place_it_can_not_have_is_one_line(
    arguments: tuple[str, ...], code: int, says: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken = str(listener.getsockname()[1])
        ended = once(*(argument.format(taken=taken) for argument in arguments))
    assert ended.returncode == code
    (line,) = ended.stderr.splitlines()
    assert line.startswith("linkerd-smi: ")
    assert says.format(taken=taken) in line
