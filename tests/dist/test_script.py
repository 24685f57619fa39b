"""The one line of the guide: what it installs, with what, and what it refuses."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from reactor import __version__
from tests.dist.fixtures import ROOT, link_files
from tests.dist.machine import Machine, flipped, pretended
from tests.dist.versions import as_version

WHEEL = f"linkerd_smi_reactor-{__version__}-py3-none-any.whl"
REQUIREMENTS = f"linkerd-smi-{__version__}-requirements.txt"


@pytest.fixture
def changed(wheelhouse: Path, machine: Machine, tmp_path: Path) -> Path:
    """A release of the test's own to change; the machine's source from now on."""
    folder = tmp_path / "changed"
    folder.mkdir()
    link_files(wheelhouse, folder)
    machine.source = folder
    return folder


def test_the_scripts_version_is_the_projects() -> None:
    script = (ROOT / "install").read_text()
    assert re.findall(r"(?m)^VERSION=(.*)$", script) == [__version__]
    assert re.findall(r"(?m)^SHA256_OF_SUMS=(.*)$", script) == [""]


@pytest.mark.parametrize(
    ("installer", "backend"), [("uv", ""), ("pipx", "uv"), ("pipx", "pip"), ("venv", "")]
)
def test_an_empty_home_gets_both_commands(machine: Machine, installer: str, backend: str) -> None:
    machine.add("python3", *({installer} & {"uv", "pipx"}))
    done = machine.install(environ={"PIPX_DEFAULT_BACKEND": backend})
    assert done.stderr == ""
    assert done.returncode == 0
    assert done.stdout.startswith(f"Installing linkerd-smi {__version__} with {installer} ...\n")
    assert f'export PATH="$PATH:{machine.bin}"' in done.stdout
    assert machine.run("linkerd-smi", "_extension-metadata") == '{"name":"linkerd-smi"}'
    assert machine.run("smi-adaptor", "--version") == f"smi-adaptor {__version__}"
    assert not list(machine.temporary.iterdir())


def test_uv_is_taken_first_then_pipx(machine: Machine) -> None:
    machine.add("python3")
    for name in ("pipx", "uv"):
        machine.script(name, "exit 1")
        done = machine.install()
        assert f"with {name} ..." in done.stdout
        assert done.returncode == 1
    assert machine.install(environ={"LINKERD_SMI_INSTALLER": "pipx"}).stdout.endswith(
        "with pipx ...\n"
    )


def test_once_more_changes_nothing_that_shows(machine: Machine) -> None:
    machine.add("uv", "python3")
    assert machine.install().returncode == 0
    before = [path.name for path in sorted(machine.bin.iterdir())]
    again = machine.install(environ={"PATH": f"{machine.bin}:{machine.programs}"})
    assert again.returncode == 0
    assert "PATH" not in again.stdout
    assert [path.name for path in sorted(machine.bin.iterdir())] == before
    assert len(list((machine.bin.parent / "linkerd-smi").iterdir())) == 1


def test_an_upgrade_leaves_nothing_of_the_old_release(machine: Machine, changed: Path) -> None:
    machine.add("uv", "python3")
    assert machine.install().returncode == 0
    as_version(changed, "9.8.7")
    done = machine.install(environ={"LINKERD_SMI_VERSION": "v9.8.7"})
    assert done.stderr == ""
    assert done.returncode == 0
    assert machine.run("linkerd-smi", "version", "--client", "--short") == "9.8.7"
    (environment,) = (machine.bin.parent / "linkerd-smi").iterdir()
    assert environment.name.startswith("9.8.7.")


def test_an_upgrade_that_fails_leaves_the_old_release_at_work(
    machine: Machine, changed: Path
) -> None:
    machine.add("uv", "python3")
    assert machine.install().returncode == 0
    before = machine.left()
    as_version(changed, "9.8.7")
    flipped(next(changed.glob("click-*.whl")))
    done = machine.install(
        environ={"LINKERD_SMI_VERSION": "9.8.7", "UV_CACHE_DIR": str(changed / "cache")}
    )
    assert done.returncode == 1
    assert machine.left() == before
    assert machine.run("linkerd-smi", "version", "--client", "--short") == __version__


@pytest.mark.parametrize("name", [WHEEL, REQUIREMENTS])
def test_a_changed_file_is_refused(machine: Machine, changed: Path, name: str) -> None:
    machine.add("uv", "python3")
    flipped(changed / name)
    done = machine.install()
    assert (done.returncode, done.stdout, done.stderr) == (
        1,
        "",
        f"install: {changed}/{name} is not what SHA256SUMS says: it was damaged or changed; "
        "nothing was installed\n",
    )
    assert machine.left() == set()


def test_a_changed_list_of_checksums_is_refused(machine: Machine, changed: Path) -> None:
    machine.add("uv", "python3")
    flipped(changed / WHEEL)
    sums = changed / "SHA256SUMS"
    text = sums.read_text()
    forged = hashlib.sha256((changed / WHEEL).read_bytes()).hexdigest()
    sums.unlink()
    sums.write_text(re.sub(rf"\w+(?=  {re.escape(WHEEL)})", forged, text))
    done = machine.install()
    assert done.returncode == 1
    assert "SHA256SUMS is not the one that this script was released with" in done.stderr
    assert machine.left() == set()


@pytest.mark.parametrize("installer", ["uv", "venv"])
def test_a_changed_dependency_is_refused(machine: Machine, changed: Path, installer: str) -> None:
    machine.add("uv", "python3")
    flipped(next(changed.glob("click-*.whl")))
    done = machine.install(
        environ={
            "LINKERD_SMI_INSTALLER": installer,
            "UV_CACHE_DIR": str(machine.home / ".cache"),
        }
    )
    assert done.returncode == 1
    assert "nothing was changed" in done.stderr.splitlines()[-1]
    assert "click" in done.stderr
    assert machine.left() == set()


@pytest.mark.parametrize("shell", [("sh",), ("bash", "--posix")])
def test_a_script_that_was_cut_off_does_nothing(
    machine: Machine, wheelhouse: Path, tmp_path: Path, shell: tuple[str, ...]
) -> None:
    machine.add("uv", "python3")
    whole = (wheelhouse / "install").read_bytes()
    part = tmp_path / "part"
    ends = [*range(1, len(whole), 211), *range(whole.rindex(b"\n{") + 1, len(whole) - 1)]
    for end in ends:
        part.write_bytes(whole[:end])
        done = machine.install(part, shell=shell)
        assert (done.stdout, machine.left()) == ("", set()), whole[:end][-40:]


def test_an_interruption_leaves_nothing(machine: Machine) -> None:
    machine.add("python3")
    machine.script("uv", 'for last; do :; done; touch "$last/half" || :; kill -TERM "$PPID"')
    (machine.programs / "touch").symlink_to(str(shutil.which("touch")))
    done = machine.install()
    assert done.returncode == 143
    assert machine.left() == set()


def test_an_old_python_is_refused_in_one_line(machine: Machine) -> None:
    machine.script("python3", pretended("3.9.2"))
    done = machine.install()
    assert (done.returncode, done.stdout, done.stderr) == (
        1,
        "",
        "install: Python 3.11 or newer is needed (python3 here is 3.9.2): install one, or uv, "
        "which brings its own\n",
    )
    assert machine.left() == set()


def test_a_newer_python_beside_an_old_one_is_found(machine: Machine) -> None:
    machine.script("python3", pretended("3.9.2"))
    machine.script("python3.13", "exit 1")
    machine.script("python3.12", pretended("3.12.4"))
    # It can't make an environment; that it was asked to is enough.
    done = machine.install()
    assert "install: python3.12 -m venv failed" in done.stderr
    assert machine.left() == set()


def test_the_go_extensions_link_is_replaced(machine: Machine) -> None:
    machine.add("uv", "python3")
    machine.bin.mkdir(parents=True)
    old = machine.bin / "linkerd-smi-v0.2.7"
    old.write_text("the Go program")
    (machine.bin / "linkerd-smi").symlink_to(old)
    assert machine.install().returncode == 0
    assert machine.run("linkerd-smi", "version", "--client", "--short") == __version__
    assert old.read_text() == "the Go program"


def test_another_command_that_comes_first_is_pointed_out(machine: Machine) -> None:
    machine.add("uv", "python3")
    machine.script("linkerd-smi", "exit 0")
    done = machine.install()
    assert f"But {machine.programs}/linkerd-smi comes first on your PATH" in done.stdout


def test_it_goes_where_linkerds_installer_was_told_to_go(machine: Machine) -> None:
    machine.add("uv", "python3")
    done = machine.install(environ={"INSTALLROOT": str(machine.home / "else where")})
    assert done.stderr == ""
    assert done.returncode == 0
    assert {path.name for path in (machine.home / "else where" / "bin").iterdir()} == {
        "linkerd-smi",
        "smi-adaptor",
    }
    assert not machine.bin.exists()


def test_nobody_need_be_root(machine: Machine) -> None:
    bwrap = shutil.which("bwrap")
    assert bwrap is not None, "bubblewrap is missing: install it"
    machine.add("uv", "python3")
    shell = (bwrap, "--dev-bind", "/", "/", "--unshare-user", "--uid", "1000", "--gid", "1000")
    done = machine.install(shell=(*shell, "--cap-drop", "ALL", str(shutil.which("sh"))))
    assert done.stderr == ""
    assert done.returncode == 0
    assert machine.run("linkerd-smi", "version", "--client", "--short") == __version__


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("HOME", "", "HOME is not set: set it to the folder to install under"),
        (
            "LINKERD_SMI_INSTALLER",
            "conda",
            "LINKERD_SMI_INSTALLER=conda is none of uv, pipx and venv",
        ),
        (
            "LINKERD_SMI_INSTALLER",
            "pipx",
            "LINKERD_SMI_INSTALLER=pipx, and there is no pipx on PATH",
        ),
        (
            "LINKERD_SMI_SOURCE",
            "nowhere",
            "LINKERD_SMI_SOURCE=nowhere is neither a folder nor a URL",
        ),
        ("LINKERD_SMI_VERSION", "0.0.7", "see that release 0.0.7 exists"),
    ],
)
def test_a_wrong_setting_ends_in_a_line_that_says_so(
    machine: Machine, name: str, value: str, message: str
) -> None:
    machine.add("uv", "python3")
    done = machine.install(environ={name: value})
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("install: ")
    assert message in done.stderr.splitlines()[-1]
    assert machine.left() == set()


@pytest.fixture
def pages(wheelhouse: Path) -> Iterator[str]:
    """The release behind HTTP."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(wheelhouse))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_curl_piped_into_sh_installs(machine: Machine, wheelhouse: Path, pages: str) -> None:
    machine.add("uv", "python3")
    environ = machine.environ({"LINKERD_SMI_SOURCE": pages, "UV_FIND_LINKS": str(wheelhouse)})
    line = f"curl -sL {pages}/install | sh"
    done = subprocess.run(
        [str(shutil.which("sh")), "-c", line], env=environ, capture_output=True, check=True
    )
    assert done.stderr == b""
    assert machine.run("linkerd-smi", "version", "--client", "--short") == __version__
    missing = machine.install(environ={"LINKERD_SMI_SOURCE": f"{pages}/else"})
    assert "install: cannot get" in missing.stderr.splitlines()[-1]
