"""What lies in the folder of a release, and that the same sources give the same bytes."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
import yaml
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from uv import find_uv_bin

from reactor import __version__
from release import wheel
from tests.dist.fixtures import EPOCH, ROOT

WHEEL = f"linkerd_smi_reactor-{__version__}-py3-none-any.whl"
SDIST = f"linkerd_smi_reactor-{__version__}.tar.gz"


def test_it_holds_all_that_is_put_up_for_download(release: Path, this_platform: str) -> None:
    assert {path.name for path in release.iterdir()} == {
        "SHA256SUMS",
        "index.yaml",
        "install",
        f"linkerd-smi-{__version__}-{this_platform}.pyz",
        f"linkerd-smi-{__version__}-requirements.txt",
        f"linkerd-smi-{__version__}.cdx.json",
        f"linkerd-smi-{__version__}.tgz",
        WHEEL,
        SDIST,
    }


def test_the_checksums_list_every_file_and_the_script_knows_the_list(release: Path) -> None:
    sums = (release / "SHA256SUMS").read_text()
    listed = {name: digest for digest, name in map(str.split, sums.splitlines())}
    assert listed == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in release.iterdir()
        if path.name not in ("SHA256SUMS", "install")
    }
    digest = hashlib.sha256(sums.encode()).hexdigest()
    before, after = (ROOT / "install").read_text(), (release / "install").read_text()
    assert after == before.replace("SHA256_OF_SUMS=\n", f"SHA256_OF_SUMS={digest}\n")
    assert os.access(release / "install", os.X_OK)


@pytest.fixture
def rebuilt(tmp_path: Path) -> Path:
    """The wheel and the sdist once more, for another user in another place."""
    before = os.umask(0o077)
    try:
        wheel.build(tmp_path, epoch=EPOCH)
    finally:
        os.umask(before)
    return tmp_path


def test_the_same_sources_give_the_same_bytes(release: Path, rebuilt: Path) -> None:
    for name in (WHEEL, SDIST):
        assert (rebuilt / name).read_bytes() == (release / name).read_bytes(), name


def test_wheel_and_sdist_carry_every_file_that_the_command_line_reads(release: Path) -> None:
    with zipfile.ZipFile(release / WHEEL) as archive:
        packed = set(archive.namelist())
    with tarfile.open(release / SDIST) as source:
        shipped = {name.partition("/")[2] for name in source.getnames()}
    needed = {
        f"reactor/manifests/{path.relative_to(ROOT / 'config')}"
        for folder in ("chart", "crd", "rbac", "samples")
        for path in (ROOT / "config" / folder).rglob("*")
        if path.is_file() and path.name != "Kustomization"
    }
    assert {name for name in packed if name.startswith("reactor/manifests/")} >= needed
    assert shipped >= needed
    assert not {name for name in packed if name.split("/")[0] in ("tests", "release")}


def test_the_sdist_installs_and_runs(release: Path, tmp_path: Path) -> None:
    command = [find_uv_bin(), "pip", "install", "--quiet", "--python", sys.executable]
    command += ["--no-deps", "--no-build-isolation", "--target", str(tmp_path)]
    subprocess.run([*command, str(release / SDIST)], check=True, cwd=tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "reactor.cli.extension", "version", "--client", "--short"],
        env={**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONSAFEPATH": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{__version__}\n"
    assert (tmp_path / "reactor" / "manifests" / "crd" / "trafficsplit.yaml").is_file()


def test_the_bill_of_materials_is_valid_and_complete(release: Path) -> None:
    text = (release / f"linkerd-smi-{__version__}.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bill = json.loads(text)
    own = bill["metadata"]["component"]
    assert (own["name"], own["version"]) == ("linkerd-smi-reactor", __version__)
    locked = (ROOT / "requirements" / "runtime.txt").read_text()
    pinned = dict(re.findall(r"(?m)^([\w.-]+)==([^ ]+) (?!; sys_platform == 'win32')", locked))
    assert {each["name"]: each["version"] for each in bill["components"]} == pinned
    for each in (own, *bill["components"]):
        assert each["purl"] == f"pkg:pypi/{each['name']}@{each['version']}"
        assert each["licenses"], each["name"]


def test_the_bill_leads_from_us_to_every_component(release: Path) -> None:
    bill = json.loads((release / f"linkerd-smi-{__version__}.cdx.json").read_text())
    edges = {each["ref"]: each.get("dependsOn", []) for each in bill["dependencies"]}
    reached, waiting = set(), [bill["metadata"]["component"]["bom-ref"]]
    while waiting:
        reference = waiting.pop()
        if reference not in reached:
            reached.add(reference)
            waiting += edges[reference]
    assert reached == set(edges)
    assert {each["bom-ref"] for each in bill["components"]} < reached


def test_the_folder_is_a_chart_repository(release: Path, helm: Path) -> None:
    index = yaml.safe_load((release / "index.yaml").read_text())
    (entry,) = index["entries"]["linkerd-smi"]
    assert (entry["version"], entry["appVersion"]) == (__version__, __version__)
    (name,) = entry["urls"]
    assert entry["digest"] == hashlib.sha256((release / name).read_bytes()).hexdigest()
    command = [helm, "template", "any", release / name, "--kube-version", "1.36.0"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "kind: Deployment" in done.stdout
