"""Carries out a Dockerfile's stages under a folder of the test's own, with this Python as base.

With bubblewrap a stage's tree is `/`, read-only system folders of this machine under it. Without,
the same commands run with each of the image's paths moved into the tree.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from tests.image.dockerfile import Copy, Run, Stage

_PYTHON = Path(sys.base_prefix) / "bin"
# What stands in for the base image; never written to.
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc", "/opt", "/run")
# Where pip finds packages, and keeps them, is a matter of this machine.
_MACHINE = re.compile(r"PIP_|SSL_|HTTPS?_PROXY|NO_PROXY|REQUESTS_", re.IGNORECASE)


class Image:
    """The stages' trees, by name, under ``directory``; built from ``context``."""

    def __init__(self, *, stages: Sequence[Stage], context: Path, directory: Path) -> None:
        self._stages = {stage.name: stage for stage in stages}
        self._last = stages[-1]
        self._context = context
        self._directory = directory
        self._bwrap = shutil.which("bwrap")

    def build(self) -> None:
        """Every stage, in order. Raises AssertionError with what a step printed."""
        for stage in self._stages.values():
            tree = self.tree(stage.name)
            tree.mkdir(parents=True)
            for step in stage.steps:
                if isinstance(step, Copy):
                    self._copy(step, tree)
                else:
                    self._run_step(step, stage)

    def tree(self, name: str) -> Path:
        """The root of a stage."""
        return self._directory / name

    @property
    def result(self) -> Path:
        """The root of the last stage: what the image holds beyond its base."""
        return self.tree(self._last.name)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """A program in the finished image: as its user, on a read-only root.

        Only the volumes are writable. Without bubblewrap neither holds.
        """
        return self._execute(self._last, list(command), self._final_environ(), final=True)

    def contained(
        self, *command: str, mounts: Mapping[str, Path], environ: Mapping[str, str]
    ) -> tuple[list[str], dict[str, str]]:
        """What runs ``command`` so, and its environment, for those who start it themselves.

        ``mounts`` lie over the image's folders: a volume's is writable, another's is not. The
        program is process 1. Needs bubblewrap.
        """
        assert self._bwrap is not None, "bubblewrap is missing: install it"
        for place in mounts:
            # bubblewrap would make them for root's eyes alone.
            (self.result / place.lstrip("/")).mkdir(parents=True, exist_ok=True)
        sandbox = self._sandbox(self._last, self.result, final=True, mounts=mounts)
        return [self._bwrap, *sandbox, *command], {**self._final_environ(), **environ}

    def _final_environ(self) -> dict[str, str]:
        return {**self._environ(self._last), "HOME": "/nonexistent"}

    def _run_step(self, step: Run, stage: Stage) -> None:
        directory = self.tree(stage.name) / step.directory.lstrip("/")
        directory.mkdir(parents=True, exist_ok=True)
        command = ["/bin/sh", "-c", f"cd {step.directory} && {step.command}"]
        done = self._execute(stage, command, self._environ(stage), final=False)
        assert done.returncode == 0, f"{step.command}\n{done.stdout}\n{done.stderr}"

    def _execute(
        self, stage: Stage, command: list[str], environ: dict[str, str], *, final: bool
    ) -> subprocess.CompletedProcess[str]:
        tree = self.tree(stage.name)
        if self._bwrap is None:
            command = [self._moved(word, tree) for word in command]
            environ = {name: self._moved(value, tree) for name, value in environ.items()}
            prefix = []
        else:
            prefix = [self._bwrap, *self._sandbox(stage, tree, final=final)]
        return subprocess.run(
            [*prefix, *command],
            env=environ,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def _sandbox(
        self,
        stage: Stage,
        tree: Path,
        *,
        final: bool,
        mounts: Mapping[str, Path] = MappingProxyType({}),
    ) -> list[str]:
        options = ["--bind", str(tree), "/", "--die-with-parent", "--unshare-pid"]
        for system in (*_SYSTEM, str(_PYTHON.parent)):
            if Path(system).exists():
                options += ["--ro-bind", system, system]
        options += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
        cache = Path.home() / ".cache" / "pip"
        if final:
            for place, folder in mounts.items():
                if place not in stage.volumes:
                    options += ["--ro-bind", str(folder), place]
            options += ["--remount-ro", "/tmp", "--remount-ro", "/", "--as-pid-1"]
            for volume in stage.volumes:
                own = tree / volume.lstrip("/")
                options += ["--bind", str(mounts.get(volume, own)), volume]
            user, _, group = stage.user.partition(":")
            if os.geteuid() == 0:
                # Not a user namespace: in one, files of this user would belong to nobody.
                options += ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups"]
                options += ["--no-new-privs", "--inh-caps=-all", "--bounding-set=-all"]
            else:
                options += ["--unshare-user", "--uid", user, "--gid", group, "--cap-drop", "ALL"]
        elif cache.exists():
            options += ["--bind", str(cache), str(cache)]
        return options

    def _moved(self, text: str, tree: Path) -> str:
        """``text`` with the image's absolute paths led into its tree."""
        return re.sub(r"(?<![\w/.])/(app|build|src|wheels|data)\b", rf"{tree}/\1", text)

    def _environ(self, stage: Stage) -> dict[str, str]:
        environ = {name: value for name, value in os.environ.items() if _MACHINE.match(name)}
        environ["PATH"] = f"{_PYTHON}:/usr/bin:/bin"
        environ["HOME"] = str(Path.home())
        for name, value in stage.environ.items():
            environ[name] = value.replace("$PATH", environ["PATH"])
        return environ

    def _copy(self, step: Copy, tree: Path) -> None:
        origin = self._context if step.stage is None else self.tree(step.stage)
        target = tree / step.target.lstrip("/")
        into = step.target.endswith("/") or len(step.sources) > 1
        for source in step.sources:
            found = origin / source.lstrip("/")
            place = target / found.name if into and found.is_file() else target
            place.parent.mkdir(parents=True, exist_ok=True)
            if found.is_dir():
                shutil.copytree(
                    found,
                    place,
                    symlinks=True,
                    dirs_exist_ok=True,
                    ignore=shutil.ignore_patterns("__pycache__") if step.stage is None else None,
                    # Nothing writes to a stage once it is built.
                    copy_function=shutil.copy2 if step.stage is None else os.link,
                )
            else:
                shutil.copy2(found, place)
            if step.owner is not None and os.geteuid() == 0:
                user, _, group = step.owner.partition(":")
                shutil.chown(place, int(user), int(group))
