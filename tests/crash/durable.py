"""A disk that loses, when asked, what was written after the last fdatasync of each file.

    disk = Disk(tmp_path)
    process = Popen([...], env={**os.environ, **disk.environment()})   # writes below disk.live
    process.kill(); process.wait()
    disk.lose_power()                                                  # disk.live, as it came back

`durable.c` says what is modelled. The library is built once by `cc` into the user's cache.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

_SOURCE = Path(__file__).with_name("durable.c")


class Disk:
    """A directory ``live`` for one process at a time, and its durable copy."""

    def __init__(self, root: Path) -> None:
        self.live = root / "live"
        self._copy = root / "durable"
        self.live.mkdir(parents=True)
        self._copy.mkdir()

    def environment(
        self, *, deaf: bool = False, kill_at_sync: int = 0, after: bool = False
    ) -> dict[str, str]:
        """What the process needs in its environment; what is in ``live`` now counts as durable.

        ``deaf``: its syncs reach nothing, as with synchronous=OFF. ``kill_at_sync``: it is killed
        at its nth sync, a moment later but before that has any effect, or ``after`` it took effect.
        """
        _replace(self._copy, self.live)
        found = {
            "LD_PRELOAD": str(library()),
            "DURABLE_LIVE": str(self.live),
            "DURABLE_COPY": str(self._copy),
        }
        if deaf:
            found["DURABLE_DEAF"] = "1"
        if kill_at_sync:
            found["DURABLE_KILL"] = f"{'+' if after else ''}{kill_at_sync}"
        return found

    def lose_power(self) -> None:
        """Leave in ``live`` what was durable. The process has to be dead by now."""
        _replace(self.live, self._copy)


def _replace(target: Path, source: Path) -> None:
    shutil.rmtree(target)
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(".deleted", "*-shm", "*.lock"))


def library() -> Path:
    """The shared library, built when its source changed."""
    source = _SOURCE.read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "linkerd-smi-reactor" / "durable"
    built = folder / f"{hashlib.sha256(source).hexdigest()[:16]}.so"
    if not built.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            made = Path(scratch) / "durable.so"
            subprocess.run(
                ["cc", "-O2", "-shared", "-fPIC", "-o", made, _SOURCE, "-ldl", "-lpthread"],
                check=True,
            )
            made.replace(built)
    return built
