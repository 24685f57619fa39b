"""The image: small, unprivileged, on a read-only root, and it says what is wrong."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from reactor import __version__
from tests.image.builder import Image
from tests.image.dockerfile import Copy, Stage

ROOT = Path(__file__).resolve().parents[2]


def test_it_is_built_in_two_stages_from_a_slim_python(stages: list[Stage]) -> None:
    assert [stage.name for stage in stages] == ["build", "1"]
    assert {stage.base for stage in stages} == {"python:3.13-slim"}


def test_it_runs_the_adaptor_as_nobody_with_its_log_on_a_volume(stages: list[Stage]) -> None:
    final = stages[-1]
    assert final.user == "65534:65534"
    assert final.volumes == ["/data"]
    assert final.ports == ["9995"]
    assert final.entrypoint == ["smi-adaptor"]
    assert final.environ["PYTHONDONTWRITEBYTECODE"] == "1"


def test_its_labels_say_what_it_is(stages: list[Stage]) -> None:
    labels = {
        name.removeprefix("org.opencontainers.image."): value
        for name, value in stages[-1].labels.items()
    }
    assert labels["title"] == "smi-adaptor"
    assert labels["version"] == __version__
    assert labels["licenses"] == "Apache-2.0"
    # The install script has the same place.
    assert f"RELEASES={labels['source']}/releases/download\n" in (ROOT / "install").read_text()


def test_what_it_copies_is_there_and_nothing_else_is_sent(stages: list[Stage]) -> None:
    allowed = [
        line.removeprefix("!").rstrip("/")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    ]
    copied = [
        source.rstrip("/")
        for stage in stages
        for step in stage.steps
        if isinstance(step, Copy) and step.stage is None
        for source in step.sources
    ]
    assert all((ROOT / source).exists() for source in copied)
    assert {source.split("/")[0] for source in copied} == set(allowed)


@pytest.mark.timeout(600)
def test_the_built_image_holds_the_program_and_no_tools(image: Image) -> None:
    programs = {path.name for path in (image.result / "app" / "bin").iterdir()}
    assert {"smi-adaptor", "linkerd-smi", "python"} <= programs
    assert not {name for name in programs if name.startswith("pip")}
    packages = next((image.result / "app" / "lib").glob("python*/site-packages"))
    installed = {path.name for path in packages.iterdir()}
    assert {"reactor", "migrations"} <= installed
    assert not installed & {"pip", "setuptools", "pytest", "tests"}
    assert not (image.result / "src").exists()


@pytest.mark.timeout(600)
def test_the_installed_wheel_has_every_module_and_every_migration(image: Image) -> None:
    packages = next((image.result / "app" / "lib").glob("python*/site-packages"))
    for package in ("reactor", "migrations"):
        for source in (ROOT / package).rglob("*"):
            if source.is_file() and source.suffix not in (".pyc", ".md"):
                assert (packages / source.relative_to(ROOT)).exists(), source


@pytest.mark.timeout(600)
def test_the_entry_point_answers(image: Image, stages: list[Stage]) -> None:
    answered = image.run(*stages[-1].entrypoint, "--version")
    assert (answered.stdout, answered.stderr) == (f"smi-adaptor {__version__}\n", "")
    wrong = image.run(*stages[-1].entrypoint, "--nonsense")
    assert wrong.returncode == 2
    assert wrong.stderr.count("\n") == 1


@pytest.mark.timeout(600)
def test_it_is_nobody_and_can_write_to_its_volume_alone(image: Image) -> None:
    if shutil.which("bwrap") is None:
        assert os.environ.get("CI") != "true", "CI proves this, so it needs bubblewrap"
        return
    script = (
        "import os, pathlib\n"
        "pathlib.Path('/data/audit.sqlite').write_text('x')\n"
        "for place in ('/', '/app', '/app/bin', '/src', '/tmp'):\n"
        "    try: pathlib.Path(place, 'x').write_text('x')\n"
        "    except OSError: continue\n"
        "    print(place, 'is writable')\n"
        "print(os.getuid(), os.getgid(), os.getgroups())\n"
        "for line in open('/proc/self/status'):\n"
        "    name, _, value = line.partition(':')\n"
        "    if name.startswith('Cap') and int(value, 16): print(line)\n"
        "    if name == 'NoNewPrivs' and value.strip() != '1': print(line)\n"
    )
    ended = image.run("/app/bin/python", "-c", script)
    assert ended.stderr == ""
    assert ended.stdout in ("65534 65534 []\n", "65534 65534 [65534]\n")


@pytest.mark.timeout(600)
def test_without_a_cluster_it_ends_in_one_line_that_says_what_to_do(image: Image) -> None:
    ended = image.run("smi-adaptor", "-kubeconfig=/data/missing", "-audit-url=/data/a.sqlite")
    assert ended.returncode != 0
    assert "Traceback" not in ended.stderr
    assert "/data/missing" in ended.stderr.splitlines()[-1]
