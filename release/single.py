"""The single file per platform: a zipapp for every Python that the project runs on.

It holds archives in an archive: what all Pythons share, and for each what was compiled for it. So
a start reads a directory of five entries, and unpacks no more than it needs.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from uv import find_uv_bin

from reactor import __version__
from release import archives
from release.commands import run
from release.wheel import Built

_MAIN = "from launch import start\n\nstart({version!r}, {digest!r}, {platform!r}, {abis!r})\n"


@dataclass(frozen=True)
class Platform:
    """``name`` as the file's name and `launch` have it; ``target`` as uv calls it."""

    name: str
    target: str


PLATFORMS = (
    Platform("linux-x86_64", "x86_64-manylinux_2_28"),
    Platform("linux-aarch64", "aarch64-manylinux_2_28"),
    Platform("macos-arm64", "aarch64-apple-darwin"),
)


def installed(built: Built, folder: Path, *, platform: Platform, python: str) -> dict[str, bytes]:
    """What the release and its locked requirements are, installed into ``folder``, by name."""
    run(
        *(find_uv_bin(), "pip", "install", "--quiet", "--no-config", "--target", folder),
        *("--python-platform", platform.target, "--python-version", python),
        *("--only-binary", ":all:", "--require-hashes", "--find-links", built.wheel.parent),
        *("--requirement", built.requirements),
    )
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and _wanted(path.relative_to(folder))
    }


def write(
    built: Built, out: Path, *, platform: Platform, pythons: Sequence[str], epoch: int
) -> Path:
    """The file for ``platform``, good for each of ``pythons``, such as 3.11; returns its path."""
    with tempfile.TemporaryDirectory() as scratch:
        trees = {
            "cp" + python.replace(".", ""): installed(
                built, Path(scratch, python), platform=platform, python=python
            )
            for python in pythons
        }
    first, *others = trees.values()
    common = {
        name: content
        for name, content in first.items()
        if all(other.get(name) == content for other in others)
    }
    parts = {"common.zip": archives.zipped(common, epoch=epoch, compressed=True)}
    for abi, tree in trees.items():
        own = {name: content for name, content in tree.items() if name not in common}
        parts[f"{abi}.zip"] = archives.zipped(own, epoch=epoch, compressed=True)
    digest = hashlib.sha256(b"".join(parts[name] for name in sorted(parts))).hexdigest()[:16]
    main = _MAIN.format(
        version=__version__, digest=digest, platform=platform.name, abis=tuple(trees)
    )
    launch = Path(__file__).with_name("launch.py").read_bytes()
    files = {"__main__.py": main.encode(), "launch.py": launch, **parts}
    path = out / f"linkerd-smi-{__version__}-{platform.name}.pyz"
    path.write_bytes(
        b"#!/usr/bin/env python3\n" + archives.zipped(files, epoch=epoch, compressed=False)
    )
    path.chmod(0o755)
    return path


def _wanted(name: Path) -> bool:
    # Scripts name the Python of this machine, and uv leaves a lock.
    return name.parts[0] not in ("bin", ".lock") and name.name not in ("RECORD", "INSTALLER")
