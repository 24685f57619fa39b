"""A user's machine: an empty home, a few programs, no network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from uv import find_uv_bin

# All that the script may ask of a machine, beside Python or uv.
_COMMANDS = (
    *("awk", "chmod", "cp", "curl", "cut", "ln", "mkdir", "mktemp", "mv", "readlink", "rm"),
    *("rmdir", "sh", "sha256sum", "tail"),
)
PYTHON = Path(sys.base_prefix, "bin", f"python{sys.version_info[0]}.{sys.version_info[1]}")


class Machine:
    """``source`` is where the release's files are; uv's cache is shared by all machines of it."""

    def __init__(self, folder: Path, *, source: Path) -> None:
        self.home = folder / "home"
        self.temporary = folder / "tmp"
        self.programs = folder / "programs"
        self.source = source
        for path in (self.home, self.temporary, self.programs):
            path.mkdir(parents=True)
        for name in _COMMANDS:
            found = shutil.which(name)
            assert found is not None, f"{name} is missing on this machine"
            (self.programs / name).symlink_to(found)

    @property
    def bin(self) -> Path:
        """Where Linkerd's installer puts `linkerd`."""
        return self.home / ".linkerd2" / "bin"

    def add(self, *names: str) -> None:
        """Installs uv, pipx or python3."""
        places = {
            "uv": Path(find_uv_bin()),
            "pipx": Path(sys.executable).with_name("pipx"),
            "python3": PYTHON,
        }
        for name in names:
            (self.programs / name).symlink_to(places[name])

    def script(self, name: str, text: str) -> None:
        """A program of the test's own."""
        path = self.programs / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def environ(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """What a program there finds in its environment."""
        return {
            "HOME": str(self.home),
            "PATH": str(self.programs),
            "TMPDIR": str(self.temporary),
            "LINKERD_SMI_SOURCE": str(self.source),
            "PIP_NO_INDEX": "1",
            "PIP_COMPILE": "0",
            "UV_OFFLINE": "1",
            "UV_PYTHON_DOWNLOADS": "never",
            "UV_CACHE_DIR": str(self.source.parent / "uv-cache"),
            "UV_LINK_MODE": "hardlink",
            **(more or {}),
        }

    def install(
        self,
        script: Path | None = None,
        *,
        shell: tuple[str, ...] = ("sh",),
        environ: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Pipes the release's script, or another, into sh."""
        text = (script or self.source / "install").read_bytes()
        done = subprocess.run(
            [shutil.which(shell[0]) or shell[0], *shell[1:]],
            input=text,
            env=self.environ(environ),
            cwd=self.home,
            capture_output=True,
            timeout=100,
            check=False,
        )
        out, err = done.stdout.decode(), done.stderr.decode()
        return subprocess.CompletedProcess(done.args, done.returncode, out, err)

    def run(self, command: str, *arguments: str) -> str:
        """What an installed command prints; it must succeed and say nothing else."""
        done = subprocess.run(
            [self.bin / command, *arguments],
            env=self.environ(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.strip()

    def left(self) -> set[str]:
        """What lies about: files in HOME and TMPDIR, without the caches and logs of other tools."""
        others = {".cache", ".local"}
        return {
            str(path.relative_to(self.home.parent))
            for path in _files(self.home, self.temporary)
            if not others & set(path.relative_to(self.home.parent).parts)
        }


def pretended(version: str) -> str:
    """A script for a Python that says it is another version."""
    numbers = ", ".join(version.split("."))
    code = f"import sys; sys.version_info = ({numbers}, 0); exec(sys.argv[1])"
    return f"exec '{PYTHON}' -c '{code}' \"$2\""


def flipped(path: Path) -> None:
    """Changes one bit in the middle of a file that may be a hard link: other names keep theirs."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.unlink()
    path.write_bytes(content)


def _files(*folders: Path) -> Iterator[Path]:
    for folder in folders:
        for path, _, names in os.walk(folder):
            yield from (Path(path, name) for name in names)
