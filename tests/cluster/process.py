"""Child processes of the tests, which end with the tests whatever happens to these."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

_STOP_SECONDS = 10.0


class Keeper:
    """Kills what it was told of when this process is gone, even by kill -9.

    A shell holds the reading end of a pipe: the kernel closes the other end with us.
    """

    _SCRIPT = """
        trap '' INT TERM HUP
        pids=''
        while read -r verb pid; do
            case "$verb" in
                add) pids="$pids $pid" ;;
                drop) rest=''; for one in $pids; do [ "$one" = "$pid" ] || rest="$rest $one"; done
                      pids="$rest" ;;
            esac
        done
        for one in $pids; do kill -KILL "$one" 2>/dev/null; done
    """

    def __init__(self) -> None:
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", self._SCRIPT],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    def add(self, pid: int) -> None:
        """From now on the process ends with us."""
        self._tell(f"add {pid}\n")

    def drop(self, pid: int) -> None:
        """The process is gone and its number may go to another."""
        self._tell(f"drop {pid}\n")

    def close(self) -> None:
        """Kills what was not dropped."""
        pipe = self._pipe()
        with contextlib.suppress(BrokenPipeError):
            pipe.close()
        self._shell.wait()

    def _tell(self, line: str) -> None:
        pipe = self._pipe()
        pipe.write(line.encode())
        pipe.flush()

    def _pipe(self) -> IO[bytes]:
        if self._shell.stdin is None:
            raise RuntimeError("the keeper has no pipe")
        return self._shell.stdin


class Child:
    """One program, its output in a file; Ctrl-C reaches it through us alone."""

    def __init__(
        self,
        *,
        name: str,
        command: Sequence[str],
        log: Path,
        keeper: Keeper,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self._keeper = keeper
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )
        keeper.add(self._process.pid)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def check(self) -> None:
        """Raises RuntimeError, with the end of its log, when it has ended."""
        if not self.running():
            raise RuntimeError(
                f"{self.name} ended with {self._process.returncode}:\n{self.log_tail()}"
            )

    def await_ready(self, ready: Callable[[], bool], *, timeout: float) -> None:
        """Returns when `ready` says so; raises with the end of the log when it ends or is late."""
        deadline = time.monotonic() + timeout
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} not ready in {timeout} s:\n{self.log_tail()}")
            time.sleep(0.05)

    def log_tail(self, lines: int = 20) -> str:
        """The end of its output."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def stop(self, *, kill: bool = False) -> None:
        """Ends it: asks first unless `kill`, and kills what does not listen."""
        if self.running():
            self._process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._keeper.drop(self._process.pid)


class Server:
    """A server that is one Child with a Keeper of its own; what runs, `start` says."""

    def __init__(self) -> None:
        self._keeper: Keeper | None = None
        self._child: Child | None = None

    def start(self) -> None:
        """Returns when it answers."""
        raise NotImplementedError

    def stop(self) -> None:
        """Ends it. Killed, not asked: it might wait for the streams of its clients."""
        if self._child is not None:
            self._child.stop(kill=True)
            self._child = None
        if self._keeper is not None:
            self._keeper.close()
            self._keeper = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _launch(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        ready: Callable[[], bool],
        timeout: float,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._keeper = Keeper()
        try:
            self._child = Child(
                name=name, command=command, log=log, keeper=self._keeper, environment=environment
            )
            self._child.await_ready(ready, timeout=timeout)
        except BaseException:
            self.stop()
            raise
