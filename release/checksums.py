"""SHA256SUMS of a release, and the install script that knows its checksum."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from reactor import __version__
from release import sources
from release.commands import Failed

SCRIPT = sources.ROOT / "install"


def write(out: Path) -> None:
    """Lists all that is in ``out``, then adds the script: it vouches for the list."""
    files = sorted(path for path in out.iterdir() if path.is_file())
    text = "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files
    )
    (out / "SHA256SUMS").write_text(text)
    script = out / "install"
    script.write_text(_filled(SCRIPT.read_text(), hashlib.sha256(text.encode()).hexdigest()))
    script.chmod(0o755)


def check_script() -> None:
    """Raises Failed unless the script installs the version that the sources are."""
    match = re.search(r"^VERSION=(.*)$", SCRIPT.read_text(), re.MULTILINE)
    if match is None or match[1] != __version__:
        raise Failed(f"{SCRIPT.name}: VERSION must be {__version__}, as reactor/__init__.py says")


def _filled(script: str, digest: str) -> str:
    filled, count = re.subn(r"(?m)^SHA256_OF_SUMS=$", f"SHA256_OF_SUMS={digest}", script)
    if count != 1:
        raise Failed(f"{SCRIPT.name}: no line SHA256_OF_SUMS= to fill in")
    return filled
