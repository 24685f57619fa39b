"""The program under test as its users run it: a process with flags, a kubeconfig and a log."""

from __future__ import annotations

import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.cluster.ports import free_port
from tests.cluster.process import Child, Keeper


class AdaptorProcess:
    """Runs `smi-adaptor` against a cluster; synchronous like ControlPlane."""

    def __init__(
        self,
        directory: Path,
        *,
        kubeconfig: Path,
        arguments: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.audit_path = directory / "audit.sqlite"
        self.log_path = directory / "smi-adaptor.log"
        self._directory = directory
        self._kubeconfig = kubeconfig
        self._arguments = list(arguments)
        self._environment = environment
        self._port = free_port()
        self._keeper: Keeper | None = None
        self._child: Child | None = None

    @property
    def url(self) -> str:
        """The admin port's base URL."""
        return f"http://{self.address}"

    @property
    def address(self) -> str:
        """Where the admin port listens."""
        return f"127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        """Its process id while it runs."""
        if self._child is None:
            raise RuntimeError("the adaptor is not started")
        return self._child.pid

    def start(self, *, until_ready: bool = True) -> None:
        """Starts it, again with the same log and port after a stop."""
        self._directory.mkdir(parents=True, exist_ok=True)
        if self._keeper is None:
            self._keeper = Keeper()
        self._child = Child(
            name="smi-adaptor",
            command=[
                str(Path(sys.executable).with_name("smi-adaptor")),
                f"-kubeconfig={self._kubeconfig}",
                f"-metrics-addr={self.address}",
                f"-audit-url=sqlite:///{self.audit_path}",
                "--admin-auth=none",
                *self._arguments,
            ],
            log=self.log_path,
            keeper=self._keeper,
            environment=self._environment,
        )
        if until_ready:
            self._child.await_ready(self.ready, timeout=30.0)

    def stop(self, *, kill: bool = False) -> None:
        """Ends it; `kill` is a crash."""
        if self._child is not None:
            child, self._child = self._child, None
            child.stop(kill=kill)

    def ready(self) -> bool:
        """What /ready says now."""
        try:
            with urllib.request.urlopen(f"{self.url}/ready", timeout=5.0):
                return True
        except (urllib.error.URLError, OSError):
            return False

    def log(self) -> str:
        """Everything it has printed, over all its lives."""
        return self.log_path.read_text(encoding="utf-8") if self.log_path.exists() else ""

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def _end(self) -> None:
        self.stop()
        if self._keeper is not None:
            self._keeper.close()
            self._keeper = None
