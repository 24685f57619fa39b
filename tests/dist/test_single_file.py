"""The single file: unpacks once, starts quickly after that, and says what it cannot do."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from uv import find_uv_bin

from reactor import __version__
from release import archives, launch, sources
from tests.dist.machine import PYTHON


@pytest.fixture
def single(release: Path, this_platform: str) -> Path:
    """The file for this machine."""
    return release / f"linkerd-smi-{__version__}-{this_platform}.pyz"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Where it unpacks; not there yet."""
    return tmp_path / "cache"


def start(
    file: Path, *arguments: str, cache: Path, python: Path = PYTHON, **environ: str
) -> subprocess.CompletedProcess[str]:
    """Runs it with an environment of its own."""
    return subprocess.run(
        [python, file, *arguments],
        env={"PATH": "/usr/bin:/bin", "HOME": str(cache), "XDG_CACHE_HOME": str(cache), **environ},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def pythons() -> list[Path]:
    """Those on this machine that the project runs on."""
    found = []
    for version in sources.pythons():
        command = [find_uv_bin(), "python", "find", "--no-project", "--system", version]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            found.append(Path(done.stdout.strip()))
    return found


def empty(folder: Path, name: str, *, platform: str, abis: tuple[str, ...]) -> Path:
    """A file with nothing to unpack, made for another machine."""
    main = f"from launch import start\nstart('1.2.3', 'digest', {platform!r}, {abis!r})\n"
    files = {"__main__.py": main.encode(), "launch.py": Path(launch.__file__).read_bytes()}
    path = folder / name
    path.write_bytes(archives.zipped(files, epoch=0, compressed=False))
    return path


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache for those who don't mind what is in it."""
    return tmp_path_factory.mktemp("cache")


def test_every_supported_python_here_runs_it(single: Path, warm: Path) -> None:
    found = pythons()
    assert found
    for python in found:
        done = start(single, "version", "--client", "--short", cache=warm, python=python)
        assert (done.stdout, done.stderr) == (f"{__version__}\n", "")
    assert len(list((warm / "linkerd-smi").iterdir())) == len(found)


def test_many_first_starts_at_once_unpack_one_folder(single: Path, cache: Path) -> None:
    with ThreadPoolExecutor(3) as pool:
        starts = [pool.submit(start, single, "_extension-metadata", cache=cache) for _ in range(3)]
    assert {ended.result().stdout for ended in starts} == {'{"name":"linkerd-smi"}\n'}
    assert {ended.result().stderr for ended in starts} == {""}
    (folder,) = (cache / "linkerd-smi").iterdir()
    assert folder.name.startswith(f"{__version__}-")
    before = folder.stat().st_ino
    assert start(single, "_extension-metadata", cache=cache).returncode == 0
    assert [path.stat().st_ino for path in (cache / "linkerd-smi").iterdir()] == [before]


def test_it_is_a_command_of_either_name(single: Path, warm: Path, tmp_path: Path) -> None:
    for name, arguments, answer in (
        ("linkerd-smi", ["version", "--client", "--short"], __version__),
        ("smi-adaptor", ["--version"], f"smi-adaptor {__version__}"),
    ):
        command = tmp_path / name
        command.symlink_to(single)
        path = f"{PYTHON.parent}:/usr/bin:/bin"
        done = subprocess.run(
            [command, *arguments],
            env={"PATH": path, "XDG_CACHE_HOME": str(warm)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.stdout.strip(), done.stderr) == (answer, "")


def test_it_prints_what_the_installed_command_prints(single: Path, warm: Path) -> None:
    words = ("install", "--ignore-cluster")
    installed = subprocess.run(
        [sys.executable, "-m", "reactor.cli.extension", *words], capture_output=True, check=True
    )
    done = start(single, *words, cache=warm)
    assert done.stdout == installed.stdout.decode()
    assert done.stdout.count("\nkind: ") > 5


def test_a_cache_that_cannot_be_written_ends_in_one_line(single: Path, cache: Path) -> None:
    cache.write_text("a file")
    done = start(single, "version", cache=cache)
    assert done.returncode == 1
    assert done.stderr == (
        f"linkerd-smi: cannot unpack into {cache}/linkerd-smi: Not a directory: "
        "name another folder with XDG_CACHE_HOME\n"
    )


def test_half_an_archive_leaves_nothing(single: Path, cache: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.pyz"
    content = bytearray(single.read_bytes())
    # In the first of the archives that it holds: what Python itself reads is at the end.
    for place in range(len(content) // 20, len(content) // 2, 4099):
        content[place] ^= 0xFF
    damaged.write_bytes(content)
    done = start(damaged, "version", cache=cache)
    assert done.returncode == 1
    assert done.stderr.startswith(f"linkerd-smi: {damaged} is damaged (")
    assert done.stderr.endswith("download it again\n")
    assert not list((cache / "linkerd-smi").iterdir())


def test_somebody_elses_folder_is_not_run(cache: Path, tmp_path: Path, this_platform: str) -> None:
    abi = f"cp{sys.version_info[0]}{sys.version_info[1]}"
    folder = cache / "linkerd-smi" / f"1.2.3-digest-{abi}"
    folder.parent.mkdir(parents=True)
    if os.geteuid() == 0:
        folder.mkdir()
        os.chown(folder, 65534, 65534)
    else:
        folder.symlink_to("/")
    done = start(empty(tmp_path, "x.pyz", platform=this_platform, abis=(abi,)), cache=cache)
    assert (done.returncode, done.stderr) == (
        1,
        f"linkerd-smi: {folder} is somebody else's: "
        "name a folder of your own with XDG_CACHE_HOME\n",
    )


def test_the_file_of_another_platform_says_which_one_it_is_for(
    cache: Path, tmp_path: Path, this_platform: str
) -> None:
    done = start(empty(tmp_path, "x.pyz", platform="plan9-vax", abis=("cp311",)), cache=cache)
    assert (done.returncode, done.stderr) == (
        1,
        f"linkerd-smi: this file is for plan9-vax, and this is {this_platform}: "
        "download the one for it\n",
    )


def test_a_python_that_it_was_not_made_for_ends_in_one_line(
    cache: Path, tmp_path: Path, this_platform: str
) -> None:
    file = empty(tmp_path, "x.pyz", platform=this_platform, abis=("cp398", "cp399"))
    done = start(file, cache=cache)
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert (done.returncode, done.stderr) == (
        1,
        f"linkerd-smi: Python 3.98 or 3.99 is needed, and this is cpython {version} ({PYTHON}): "
        "install one, or install the wheel\n",
    )


def test_the_right_python_is_sought_on_the_path_once(
    cache: Path, tmp_path: Path, this_platform: str
) -> None:
    file = empty(tmp_path, "x.pyz", platform=this_platform, abis=("cp397", "cp398", "cp399"))
    for name, script in (
        ("python3.99", "exit 1"),
        ("python3.98", f"echo tried >>'{tmp_path}/tried'; exec '{PYTHON}' \"$@\""),
    ):
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    done = start(file, cache=cache, PATH=f"{tmp_path}:/usr/bin:/bin")
    # Once to see that it starts, once to run: it is no 3.98, and there it ends.
    assert (tmp_path / "tried").read_text() == "tried\n" * 2
    assert done.stderr.startswith("linkerd-smi: Python 3.97 or 3.98 or 3.99 is needed")


def test_an_old_python_can_read_what_starts_it() -> None:
    ast.parse(Path(launch.__file__).read_text(), feature_version=(3, 6))
