"""The harness's handle on a loader process."""

from __future__ import annotations

import select
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from tests.bench.command import Command, Reply
from tests.cluster.control_plane import ControlPlane
from tests.cluster.crds import REPOSITORY
from tests.cluster.process import Keeper


class LoaderError(Exception):
    """A loader could not do what it was asked."""


class Remote:
    """Starts a loader and talks to it, one command at a time."""

    def __init__(self, plane: ControlPlane, *, log: Path, keeper: Keeper) -> None:
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "tests.bench.loader",
                    str(plane.admin_kubeconfig),
                    str(plane.adaptor_kubeconfig),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=REPOSITORY,
                start_new_session=True,
            )
        self._log = log
        self._keeper = keeper
        keeper.add(self._process.pid)
        self.result()

    def call(self, command: Command) -> Reply:
        """Sends and waits."""
        self.send(command)
        return self.result()

    def send(self, command: Command) -> None:
        """Lets the loader begin; `result` must follow."""
        pipe = self._process.stdin
        assert pipe is not None
        pipe.write(msgspec.json.encode(command) + b"\n")
        pipe.flush()

    def result(self, meanwhile: Callable[[], None] | None = None) -> Reply:
        """Waits for the answer to what was sent. Raises LoaderError.

        ``meanwhile`` is called each second: it raises when waiting has become pointless.
        """
        pipe = self._process.stdout
        assert pipe is not None
        # One answer is one line, so nothing can wait in our buffer unseen.
        while meanwhile is not None and not select.select([pipe], [], [], 1.0)[0]:
            meanwhile()
        line = pipe.readline()
        if not line:
            tail = self._log.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise LoaderError(f"the loader ended:\n{tail}")
        reply = msgspec.json.decode(line, type=Reply)
        if reply.error:
            raise LoaderError(reply.error)
        return reply

    def close(self) -> None:
        """Ends the process."""
        self._process.kill()
        self._process.communicate()
        self._keeper.drop(self._process.pid)
