"""The reader's terminal: what docs/audit.md says to type, typed."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self
from unittest.mock import patch

from reactor.cli import extension
from tests.cluster.ports import free_port
from tests.guide.shell import Shell
from tests.guide.waiting import until
from tests.story.page import Step

_EXEC = "kubectl -n linkerd-smi exec deploy/smi-adaptor -c smi-adaptor -- "
_EXPORT = re.compile(r"export ([A-Z_]+)=(.*)")
_APART = re.compile(r"[|<>$;&]| --into ")
"""What is no argument, and what sets up the logging of a whole process."""
_QUIET = 2.0
"""Seconds that a page which shows nothing yet gives to what follows."""


class Terminal:
    """Keeps what was exported and what runs in the background.

    No container runs: `kubectl exec` becomes the program here, and /data the adaptor's folder.
    """

    def __init__(self, shell: Shell, *, kubeconfig: Path, log: Path) -> None:
        self.exports: dict[str, str] = {}
        self.elsewhere: list[str] = []
        """What was shown in the other terminal."""
        self._shell = shell
        self._kubeconfig = kubeconfig
        self._log = log
        self._port = free_port()
        self._following = shell.home / "following"
        self._background: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in self._background:
            _end(process, signal.SIGTERM)

    def type(self, step: Step, *, meanwhile: Sequence[Step] = ()) -> str:
        """What is shown below the line: stdout and stderr."""
        line = self._here(step.line)
        if step.interrupted:
            shown = self._followed(line, step, meanwhile)
        elif exported := _EXPORT.fullmatch(line):
            self.exports[exported[1]] = self._bash(f"printf %s {exported[2]}")
            shown = ""
        elif line.endswith(" &"):
            self._start(line.removesuffix(" &"), shown=self._shell.home / "background")
            shown = ""
        elif line.startswith("linkerd smi ") and not _APART.search(line):
            shown = self._ours(shlex.split(line)[2:])
        else:
            shown = self._bash(line)
        return self._there(shown)

    def _ours(self, argv: list[str]) -> str:
        """In this process, which spares each command the second that its imports take."""
        raw = io.BytesIO()
        text = io.TextIOWrapper(raw, encoding="utf-8", write_through=True)
        environment = {"KUBECONFIG": str(self._kubeconfig), "HOME": str(self._shell.home)}
        with (
            patch.dict(os.environ, {**environment, **self.exports}),
            contextlib.chdir(self._shell.home),
            contextlib.redirect_stdout(text),
            contextlib.redirect_stderr(text),
        ):
            extension._run(argv)
        return raw.getvalue().decode()

    def _bash(self, line: str) -> str:
        exports = "".join(f"export {name}={shlex.quote(v)}\n" for name, v in self.exports.items())
        return self._shell.attempt(f"exec 2>&1\n{exports}{line}").stdout

    def _start(self, line: str, *, shown: Path) -> subprocess.Popen[bytes]:
        path = f"{self._shell.home / 'bin'}{os.pathsep}{os.environ['PATH']}"
        environment = {"KUBECONFIG": str(self._kubeconfig), "PATH": path, "PYTHONUNBUFFERED": "1"}
        with shown.open("wb") as file:
            process = subprocess.Popen(
                ["bash", "-c", f"exec {line}"],
                env={**os.environ, **environment, **self.exports},
                cwd=self._shell.home,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._background.append(process)
        if "port-forward" in line:
            until(self._forwarded, what="the forwarded port")
        return process

    def _forwarded(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == 0

    def _followed(self, line: str, step: Step, meanwhile: Sequence[Step]) -> str:
        """As many lines as the page shows, or all until it is quiet; then Ctrl-C."""
        process = self._start(line, shown=self._following)
        # The header of a table says that it follows.
        until(lambda: self._following.read_text() or None, what=f"the first of what `{line}` shows")
        self.elsewhere += [self.type(other) for other in meanwhile]
        wanted = step.output.count("\n") - 1
        if wanted > 0:
            until(
                lambda: self._following.read_text().count("\n") >= wanted,
                what=f"{wanted} lines of `{line}`",
            )
        else:
            time.sleep(_QUIET)
        _end(process, signal.SIGINT)
        self._background.remove(process)
        return f"{self._following.read_text().rstrip()}\n^C"

    def _here(self, line: str) -> str:
        line = line.replace(_EXEC, "").replace("/data/audit.sqlite", str(self._log))
        line = line.replace("smi-adaptor 9995", f"smi-adaptor {self._port}:9995")
        return line.replace("127.0.0.1:9995", f"127.0.0.1:{self._port}")

    def _there(self, shown: str) -> str:
        shown = shown.replace(f"127.0.0.1:{self._port}", "127.0.0.1:9995")
        return shown.replace(str(self._log), "/data/audit.sqlite")


def _end(process: subprocess.Popen[bytes], number: int) -> None:
    os.killpg(process.pid, number)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
