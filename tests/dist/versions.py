"""A release made into another: as if the sources bore a different version."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

from reactor import __version__


def as_version(folder: Path, version: str) -> None:
    """Adds release ``version`` to ``folder``, with the content of the one that lies there."""
    old, new = __version__.encode(), version.encode()
    name = "linkerd_smi_reactor-{}-py3-none-any.whl"
    origin, wheel = folder / name.format(__version__), folder / name.format(version)
    with zipfile.ZipFile(origin) as source, zipfile.ZipFile(wheel, "w") as target:
        for entry in source.namelist():
            content = source.read(entry)
            if entry == "reactor/__init__.py" or ".dist-info/" in entry:
                content = content.replace(old, new)
            target.writestr(
                entry.replace(f"-{__version__}.dist-info", f"-{version}.dist-info"), content
            )
    digests = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in (origin, wheel)}
    requirements = (folder / f"linkerd-smi-{__version__}-requirements.txt").read_text()
    text = requirements.replace(
        f"linkerd-smi-reactor=={__version__} --hash=sha256:{digests[origin]}",
        f"linkerd-smi-reactor=={version} --hash=sha256:{digests[wheel]}",
    )
    assert text != requirements
    locked = folder / f"linkerd-smi-{version}-requirements.txt"
    locked.write_text(text)
    sums = folder / "SHA256SUMS"
    known = sums.read_text()
    sums.unlink()
    sums.write_text(
        f"{known}{digests[wheel]}  {wheel.name}\n"
        f"{hashlib.sha256(locked.read_bytes()).hexdigest()}  {locked.name}\n"
    )
