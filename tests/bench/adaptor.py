"""The adaptor as it is shipped: its own environment, default flags, a new process."""

from __future__ import annotations

import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

import psutil

from tests.cluster.ports import free_port
from tests.cluster.process import Child, Keeper

_READY_SECONDS = 120.0
_SETTLE_SECONDS = 30.0
_WINDOW_SECONDS = 0.5
_RESTING = 0.1


class Adaptor:
    """Starts `smi-adaptor`, and again after a stop, with the same log or a new one."""

    def __init__(
        self, environment: Path, *, kubeconfig: Path, directory: Path, keeper: Keeper
    ) -> None:
        self._environment = environment
        self._kubeconfig = kubeconfig
        self._directory = directory
        self._keeper = keeper
        self._port = free_port()
        self._child: Child | None = None

    @property
    def pid(self) -> int:
        """Its process id while it runs."""
        if self._child is None:
            raise RuntimeError("the adaptor is not started")
        return self._child.pid

    @property
    def url(self) -> str:
        """Where its admin port answers, without a slash at the end; nobody is asked for a token."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def log(self) -> Path:
        """The file of its audit log."""
        return self._directory / "audit" / "audit.sqlite"

    def start(
        self, *, forget: bool = False, runner: Sequence[str] = (), flags: Sequence[str] = ()
    ) -> float:
        """Returns at once, with the moment just before the process was made.

        ``forget`` begins a new audit log. ``runner`` is a program and its arguments, run by the
        environment's Python in place of `smi-adaptor`. ``flags`` come behind those of every start.
        """
        if forget:
            shutil.rmtree(self.log.parent, ignore_errors=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        programs = self._environment / "bin"
        program = [str(programs / "python"), *runner] if runner else [str(programs / "smi-adaptor")]
        began = time.monotonic()
        self._child = Child(
            name="smi-adaptor",
            command=[
                *program,
                f"-kubeconfig={self._kubeconfig}",
                f"-metrics-addr=127.0.0.1:{self._port}",
                f"-audit-url=sqlite:///{self.log}",
                *flags,
            ],
            log=self._directory / "smi-adaptor.log",
            keeper=self._keeper,
        )
        return began

    def await_ready(self) -> None:
        """Returns when `/ready` says ok."""
        assert self._child is not None
        self._child.await_ready(self._ready, timeout=_READY_SECONDS)

    def settle(self) -> None:
        """Returns when it is ready and has little to do: what follows should find it at rest."""
        self.await_ready()
        deadline = time.monotonic() + _SETTLE_SECONDS
        before = self.processor_seconds()
        while time.monotonic() < deadline:
            time.sleep(_WINDOW_SECONDS)
            now = self.processor_seconds()
            if now - before < _RESTING * _WINDOW_SECONDS:
                return
            before = now

    def check(self) -> None:
        """Raises with the end of its output if it has ended."""
        assert self._child is not None
        if not self._child.running():
            raise RuntimeError(f"smi-adaptor ended:\n{self._child.log_tail()}")

    def resident_mib(self) -> float:
        """Its resident memory now."""
        resident: int = psutil.Process(self.pid).memory_info().rss
        return resident / 2**20

    def highest_resident_mib(self) -> float:
        """The most that it ever had."""
        for line in Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
        raise RuntimeError("the kernel tells no VmHWM")

    def processor_seconds(self) -> float:
        """User and system time that it has used so far."""
        times = psutil.Process(self.pid).cpu_times()
        return float(times.user + times.system)

    def metrics(self) -> str:
        """What `/metrics` says."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=5.0) as page:
            return str(page.read().decode())

    def stop(self) -> None:
        """SIGTERM, as a cluster ends it."""
        if self._child is not None:
            child, self._child = self._child, None
            child.stop()

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/ready", timeout=5.0):
                return True
        except (urllib.error.URLError, OSError):
            return False
